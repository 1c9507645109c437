import type { Stage } from './refusal.ts';

/** What is known about a reason for which something is refused. `docs/reference/refusals.md` is generated from it. */
export interface ReasonRow {
  readonly stage: Stage;
  /** CONNACK return code for MQTT 3.1 and 3.1.1. */
  readonly connack3: 1 | 2 | 3 | 4 | 5;
  /** Coarse MQTT 5 reason code. */
  readonly reasonCode: number;
  readonly httpStatus: number;
  /** One sentence for the operator. */
  readonly meaning: string;
  /** What to do next where nothing more exact is known. */
  readonly cure: string;
}

/** Every reason for which a connection, publish, subscribe, delivery or API call is refused. */
export const REASONS = {
  tls_required: {
    stage: 'transport',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The connection security of the device type demands TLS and the client came without it.',
    cure: 'Connect to the TLS listener (port 8883), or lower the connection security of the device type by name.',
  },
  certificate_required: {
    stage: 'level',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning:
      'The connection security of the device type demands a client certificate and none that is trusted was shown.',
    cure: 'Connect with a client certificate, or choose another connection security for the device type.',
  },
  unknown_organisation: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 404,
    meaning: 'The client id or the user name names an organisation that does not exist here.',
    cure: 'Check the organisation in the client id (d:ORGANISATION:TYPE:ID); `sallyport org list` shows what exists.',
  },
  server_name_mismatch: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The server name of the TLS handshake names another organisation than the client id.',
    cure: 'Connect to the host name of your own organisation.',
  },
  malformed_client_id: {
    stage: 'authentication',
    connack3: 2,
    reasonCode: 0x85,
    httpStatus: 400,
    meaning: 'The client id begins like a device, gateway or application id but is not of that form.',
    cure: 'Use d:ORGANISATION:TYPE:ID, g:ORGANISATION:TYPE:ID, a:ORGANISATION:APPLICATION or A:ORGANISATION:APPLICATION[:INSTANCE].',
  },
  missing_credential: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The client showed no proof of who it is.',
    cure: 'Send a user name and a password; devices use the user name "use-token-auth" and their token as password.',
  },
  wrong_user_name: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The user name is not the one that this kind of client uses.',
    cure: 'Devices and gateways use the user name "use-token-auth"; applications use their key (a-ORGANISATION-…).',
  },
  unknown_identity: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'No such device, gateway, application or user name is registered.',
    cure: 'Register it first (`sallyport device add`, `sallyport application add`), or correct the spelling; ids are case-sensitive.',
  },
  wrong_secret: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The token or password is not the one on record.',
    cure: 'Use the token that was shown when it was issued, or issue a new one with `sallyport device token`.',
  },
  credential_expired: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The credential was right and has expired.',
    cure: 'Issue a new credential.',
  },
  credential_revoked: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The credential was right and has been revoked.',
    cure: 'If the revocation was not meant, issue a new credential; if it was, someone still uses the old one: find it.',
  },
  no_valid_credential: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The principal has no credential that is in force.',
    cure: 'Issue a token for it.',
  },
  principal_suspended: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The device, gateway, application or organisation is suspended.',
    cure: 'Resume it if the cause is gone (`sallyport device resume`).',
  },
  rights_changed: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x98,
    httpStatus: 403,
    meaning: 'The roles of the principal were changed while it was connected.',
    cure: 'Connect again; the session then has the new rights.',
  },
  unsupported_authentication_method: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x8c,
    httpStatus: 400,
    meaning: 'The client asked for an extended authentication method that is not offered.',
    cure: 'Connect without an authentication method and send user name and password.',
  },
  authenticator_unavailable: {
    stage: 'authentication',
    connack3: 3,
    reasonCode: 0x88,
    httpStatus: 503,
    meaning: 'A store or service that is needed to check the credential did not answer, so nobody is let in by it.',
    cure: 'See the server log and `/api/v1/health`; clients may try again.',
  },
  too_many_attempts: {
    stage: 'limits',
    connack3: 3,
    reasonCode: 0x97,
    httpStatus: 429,
    meaning: 'More attempts came from this address in a short time than are allowed.',
    cure: 'Wait, and look for a client with a wrong secret that retries without a pause.',
  },
  client_id_not_permitted: {
    stage: 'authorization',
    connack3: 2,
    reasonCode: 0x85,
    httpStatus: 403,
    meaning: 'The client is known but may not connect with this client id.',
    cure: 'Use the client id of the principal, or add a policy statement that permits `connect` with this client id.',
  },
  topic_not_permitted: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'No statement of the policy permits this action on this topic.',
    cure: 'Use a permitted topic, or add a policy statement for it.',
  },
  denied_by_statement: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'A statement of the policy denies this action on this topic.',
    cure: 'Read the named statement; a deny overrides every permit.',
  },
  operator_not_permitted: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The operator may not do this.',
    cure: 'Ask an operator with the role that the answer names.',
  },
  packet_too_large: {
    stage: 'limits',
    connack3: 3,
    reasonCode: 0x95,
    httpStatus: 413,
    meaning: 'The packet is larger than this server accepts.',
    cure: 'Send less in one packet, or raise the packet limit of the listener.',
  },
  quota_exceeded: {
    stage: 'limits',
    connack3: 3,
    reasonCode: 0x97,
    httpStatus: 429,
    meaning: 'A bound on subscriptions, messages, sessions or connections was reached.',
    cure: 'Use fewer, or raise the named limit.',
  },
  connection_limit: {
    stage: 'limits',
    connack3: 3,
    reasonCode: 0x9f,
    httpStatus: 429,
    meaning: 'The listener has as many connections as it may have, or they come too fast.',
    cure: 'Wait and try again with a growing pause; raise the limit if the load is wanted.',
  },
  server_shutting_down: {
    stage: 'limits',
    connack3: 3,
    reasonCode: 0x8b,
    httpStatus: 503,
    meaning: 'The server is stopping.',
    cure: 'Reconnect after a pause.',
  },
  malformed_packet: {
    stage: 'protocol',
    connack3: 1,
    reasonCode: 0x81,
    httpStatus: 400,
    meaning: 'Bytes came that are not MQTT.',
    cure: 'Check that the client speaks MQTT 3.1, 3.1.1 or 5 on this port, and TLS where TLS is expected.',
  },
  protocol_error: {
    stage: 'protocol',
    connack3: 1,
    reasonCode: 0x82,
    httpStatus: 400,
    meaning: 'A well-formed packet came that the specification does not allow here.',
    cure: 'Report it to the author of the client library; the trace names the statement of the specification.',
  },
  unsupported_protocol_version: {
    stage: 'protocol',
    connack3: 1,
    reasonCode: 0x84,
    httpStatus: 400,
    meaning: 'The client speaks a version of MQTT that is not supported.',
    cure: 'Use MQTT 3.1, 3.1.1 or 5.',
  },
} as const satisfies Record<string, ReasonRow>;

export type RefusalReason = keyof typeof REASONS;
