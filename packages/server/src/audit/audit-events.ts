import { ALERT_AUDIT_EVENTS } from './alert-audit-events.ts';
import type { AuditEventRow } from './audit-event-row.ts';
import { FIRMWARE_AUDIT_EVENTS } from './firmware-audit-events.ts';
import { UNLOCK_AUDIT_EVENTS } from './unlock-audit-events.ts';
import { WORKER_AUDIT_EVENTS } from './worker-audit-events.ts';

const CONNECTION = ['clientId', 'listener', 'transport', 'tlsVersion', 'protocolVersion', 'username'];
const ISSUER = [
  'issuer',
  'audience',
  'tokens',
  'jwksUrl',
  'keys',
  'algorithms',
  'typ',
  'clockSkew',
  'longestLife',
  'principal',
  'grants',
  'requireBound',
  'introspection',
];
const REFUSAL = ['reason', 'action', 'reasonCode', 'clientId', 'listener'];

/** Every type of row in the audit trail. `docs/reference/audit-events.md` is generated from it. */
export const AUDIT_EVENTS = {
  'server.started': { meaning: 'The server listens.', details: ['version', 'listeners'] },
  'server.stopping': { meaning: 'The server was asked to stop.', details: ['cause'] },
  'server.unsafe': {
    meaning: 'The server runs with a setting that lowers the guard.',
    details: ['setting', 'meaning'],
  },

  'session.opened': {
    meaning: 'A client has proven who it is and was let in.',
    details: [...CONNECTION, 'credential', 'credentialKind', 'assurance', 'cleanStart', 'sessionPresent'],
  },
  'session.closed': {
    meaning: 'A connection has ended. `closeCode` is that of the Watson IoT Platform, 0 for an orderly end.',
    details: [
      ...CONNECTION,
      'closeCode',
      'reason',
      'connectedAt',
      'readBytes',
      'readMessages',
      'writtenBytes',
      'writtenMessages',
    ],
  },
  'session.renewed': {
    meaning: 'A client has authenticated itself again in its session, which now stands on a new credential.',
    details: ['clientId', 'credential', 'credentialKind', 'expiresAt'],
  },
  'session.expiring': {
    meaning: 'The credential of an open session ends soon, and the session with it unless it is renewed.',
    details: ['clientId', 'credential', 'credentialKind', 'expiresAt'],
  },
  'session.refused': { meaning: 'A client was not let in; the ticket explains why.', details: REFUSAL },
  'session.slowed': {
    meaning: 'A client sends faster than it may and is read more slowly; the ticket explains which bound it met.',
    details: REFUSAL,
  },
  'handshake.refused': {
    meaning: 'A client did not get through the TLS handshake; the ticket explains why.',
    details: REFUSAL,
  },
  'request.refused': { meaning: 'An API request was refused; the ticket explains why.', details: REFUSAL },
  'message.denied': { meaning: 'A publish was denied; the ticket explains why.', details: REFUSAL },
  'subscription.denied': { meaning: 'A subscription was denied; the ticket explains why.', details: REFUSAL },
  'delivery.denied': {
    meaning: 'A message was not delivered to a subscriber; the ticket explains why.',
    details: REFUSAL,
  },
  'message.dropped': {
    meaning: 'Messages to a client were dropped: one row for each client, cause and minute.',
    details: ['clientId', 'cause', 'count'],
  },

  'token.issued': {
    meaning: 'The authorization server issued an access token. No scopes: whatever the policy permits.',
    details: ['grant', 'scopes'],
  },
  'token.revoked': {
    meaning:
      'An access token of the embedded authorization server was revoked before its end (`what`: token; `jti` if it was a signed one), or all of an approval or of a principal; what was refused to whom is told by the refusals that follow.',
    details: ['what', 'jti'],
  },
  'device.approved': {
    meaning:
      'An operator, or the owner of the device (`owner:` and a mail address), let a device have the access tokens that it asked for by the device flow.',
    details: ['scopes'],
  },
  'device.denied': {
    meaning: 'An operator, or the owner of the device, did not let it have access tokens.',
    details: ['scopes'],
  },
  'signing-keys.rotated': {
    meaning:
      'The authorization server of an organisation got a new signing key; `atOnce`: the old ones were withdrawn.',
    details: ['atOnce', 'kid'],
  },
  'client-key.created': {
    meaning: 'An application got a public key to prove itself with to the authorization server.',
    details: ['algorithm'],
  },
  'client-key.removed': { meaning: 'A public key of an application was removed.', details: [] },

  'organisation.created': { meaning: 'An organisation was made.', details: ['security'] },
  'organisation.updated': {
    meaning: 'Name or connection security of an organisation was changed.',
    details: ['name', 'security'],
  },
  'organisation.removed': { meaning: 'An organisation was removed.', details: [] },
  'organisation.suspended': { meaning: 'Nobody of the organisation may connect any more.', details: [] },
  'organisation.resumed': { meaning: 'The suspension of an organisation was lifted.', details: [] },
  'type.created': {
    meaning: 'A device type was made.',
    details: ['class', 'security', 'commands', 'encryption', 'limits'],
  },
  'type.updated': {
    meaning: 'A device type was changed.',
    details: ['changed', 'security', 'commands', 'encryption', 'limits'],
  },
  'type.removed': { meaning: 'A device type was removed.', details: [] },
  'device.created': { meaning: 'A device was registered.', details: ['credential', 'credentialKind', 'expiresAt'] },
  'device.updated': { meaning: 'A device was changed.', details: ['changed'] },
  'device.removed': { meaning: 'A device was removed, and its credentials with it.', details: [] },
  'device.suspended': { meaning: 'A device may not connect any more.', details: [] },
  'device.resumed': { meaning: 'The suspension of a device was lifted.', details: [] },
  'gateway.created': { meaning: 'A gateway was registered.', details: ['credential', 'credentialKind', 'expiresAt'] },
  'gateway.updated': { meaning: 'A gateway was changed.', details: ['changed'] },
  'gateway.removed': { meaning: 'A gateway was removed, and its credentials with it.', details: [] },
  'gateway.suspended': { meaning: 'A gateway may not connect any more.', details: [] },
  'gateway.resumed': { meaning: 'The suspension of a gateway was lifted.', details: [] },
  'application.created': {
    meaning: 'An application was registered.',
    details: ['role', 'key', 'credential', 'credentialKind', 'expiresAt'],
  },
  'application.updated': {
    meaning: 'Role or description of an application was changed.',
    details: ['role', 'description'],
  },
  'application.removed': { meaning: 'An application was removed, and its credentials with it.', details: [] },
  'application.suspended': { meaning: 'An application may not connect any more.', details: [] },
  'application.resumed': { meaning: 'The suspension of an application was lifted.', details: [] },
  'operator.created': {
    meaning: 'An operator was registered.',
    details: ['role', 'credential', 'credentialKind', 'expiresAt'],
  },
  'operator.updated': { meaning: 'The role of an operator was changed.', details: ['role'] },
  'operator.removed': { meaning: 'An operator was removed, and the credentials with it.', details: [] },
  'operator.suspended': { meaning: 'An operator may not use the API any more.', details: [] },
  'operator.resumed': { meaning: 'The suspension of an operator was lifted.', details: [] },
  'credential.created': {
    meaning: 'A token or password was issued.',
    details: ['credential', 'credentialKind', 'username', 'expiresAt'],
  },
  'credential.revoked': {
    meaning: 'A token or password was revoked.',
    details: ['credential', 'credentialKind', 'username', 'expiresAt'],
  },
  'certificate.created': {
    meaning: 'A client certificate was issued, or pinned to a principal.',
    details: ['certificateKind', 'serial', 'issuer', 'notAfter', 'fingerprint', 'enrolledBy', 'type', 'maximum'],
  },
  'certificate.revoked': {
    meaning: 'A client certificate was revoked.',
    details: ['certificateKind', 'serial', 'issuer', 'notAfter', 'fingerprint'],
  },
  'issuer.created': {
    meaning: 'An organisation takes the access tokens of an authorization server from now on.',
    details: ISSUER,
  },
  'issuer.updated': {
    meaning: 'The settings of an authorization server were changed; sessions on its tokens end and may come back.',
    details: ISSUER,
  },
  'issuer.removed': {
    meaning: 'An organisation does not take the access tokens of an authorization server any more.',
    details: [],
  },
  'enrolment-code.created': {
    meaning: 'A device may enrol once with a code; codes of before ended.',
    details: ['code', 'expiresAt'],
  },
  'enrolment-code.revoked': { meaning: 'The enrolment code of a device was ended.', details: ['code', 'expiresAt'] },
  'pending-device.created': {
    meaning: 'An unknown device with a certificate of a trusted authority waits for the approval of an operator.',
    details: ['authority', 'fingerprint', 'address'],
  },
  'pending-device.removed': { meaning: 'An operator has rejected a device that waited.', details: [] },
  'authority.created': {
    meaning: 'An organisation trusts a certificate authority from now on.',
    details: ['subject', 'notAfter'],
  },
  'authority.updated': {
    meaning: 'What is asked about the certificates of an imported authority, or what it may register, was changed.',
    details: ['revocation', 'onUnknown', 'registration'],
  },
  'authority.removed': {
    meaning: 'An organisation does not trust a certificate authority any more.',
    details: ['subject'],
  },
  'identity.created': {
    meaning: 'Keys of an application or device for signed commands and sealed payloads were put on record.',
    details: ['keyId', 'algorithm', 'notAfter'],
  },
  'identity.revoked': { meaning: 'Keys of an application or device were revoked.', details: ['keyId'] },
  'policy.created': { meaning: 'An organisation wrote its first policy.', details: ['version'] },
  'policy.updated': { meaning: 'An organisation wrote a new version of its policy.', details: ['version'] },
  'list.created': { meaning: 'Entries were added to a list of addresses.', details: ['entries', 'count'] },
  'list.updated': {
    meaning: 'A list of addresses was turned on or off, or what it does with unknown countries was changed.',
    details: ['active', 'unknownCountry', 'forced'],
  },
  'list.removed': { meaning: 'Entries were taken off a list of addresses.', details: ['entries', 'count'] },
  'guessing.blocked': {
    meaning:
      'An address has guessed too often and is blocked for a time: for one claimed principal, or for all that are not known from there.',
    details: ['network', 'claim', 'reason', 'failures', 'until'],
  },
  'command.refused': {
    meaning: 'A device did not follow a command, and signed why; `repeatedBy` has sent the bytes of another once more.',
    details: ['reason', 'sender', 'repeatedBy'],
  },
  'incident.opened': { meaning: 'Something suspicious has happened.', details: ['incident', 'rule'] },
  'incident.contained': {
    meaning: 'A principal was contained because of an incident; in a dry run it would have been.',
    details: ['incident', 'rule', 'response', 'dryRun'],
  },
  'incident.released': {
    meaning: 'What was done about an incident was taken back.',
    details: ['incident', 'rule', 'response'],
  },
  'incident.resolved': { meaning: 'An incident was settled.', details: ['incident', 'rule'] },
  'guessing.released': { meaning: 'An operator ended blocks.', details: ['address', 'principal', 'released'] },
  'country-file.loaded': {
    meaning: 'The server knows countries of addresses from this file from now on.',
    details: ['file', 'database', 'builtAt'],
  },
  'country-file.failed': {
    meaning: 'The country file cannot be read; the one before stays in use.',
    details: ['file', 'problem'],
  },

  ...ALERT_AUDIT_EVENTS,
  ...FIRMWARE_AUDIT_EVENTS,
  ...UNLOCK_AUDIT_EVENTS,
  ...WORKER_AUDIT_EVENTS,

  'store.failing': {
    meaning: 'A store does not take writes; what must be on disk is refused.',
    details: ['store', 'problem'],
  },
  'store.recovered': { meaning: 'A store takes writes again.', details: ['store'] },
  'audit.lost': {
    meaning: 'Rows of this trail were lost because the disk did not take them in time.',
    details: ['count'],
  },
  'revocation.failing': {
    meaning:
      'A revocation list or OCSP responder of an imported authority cannot be used; `usableUntil` says how long what is at hand may be.',
    details: ['authority', 'url', 'problem', 'usableUntil'],
  },
  'revocation.recovered': {
    meaning: 'A revocation list or OCSP responder of an imported authority can be used again.',
    details: ['authority', 'url'],
  },
  'certificate.expiring': {
    meaning:
      'A certificate or an authority ends within 30, 7 or 1 days; client certificates of an organisation that have no successor are told together.',
    details: ['what', 'name', 'days', 'count', 'notAfter'],
  },
  'authority.succeeded': {
    meaning:
      'An authority of this server that ends within a year has a successor, which signs from now on; the one before vouches for what it signed until its end.',
    details: ['subject', 'fingerprint', 'before', 'notAfter'],
  },
  'authority.ending': {
    meaning:
      'An authority of this server nears its end and has no successor: the key of the root is offline (`root_key_absent`), the root ends itself (`root_ends`), or it is the root (`is_root`). Bring the key back, or renew the root: `sallyport ca root renew`.',
    details: ['subject', 'why', 'notAfter'],
  },
  'server-certificate.changed': {
    meaning:
      'From the next handshake on clients are shown another server certificate: an imported one, or (`own`) that of this server again.',
    details: ['source', 'subject', 'fingerprint', 'notAfter'],
  },
  defect: {
    meaning: 'A mistake in the software itself, one row for each place and minute: please report it.',
    details: ['where', 'problem', 'count'],
  },
} as const satisfies Record<string, AuditEventRow>;
