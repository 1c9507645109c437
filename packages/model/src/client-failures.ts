import type { FailureRow } from './failure-row.ts';

/** What can go wrong when a device or application proves itself anew by itself. */
export const CLIENT_FAILURES = {
  token_refused: {
    httpStatus: 401,
    reasonCode: 0x87,
    severity: 'error',
    meaning: 'The authorization server did not give this client an access token.',
    cure: 'Correct client id, secret or key, and scope; the message names the error of the authorization server. `sallyport refusals` says more if it is that of Sallyport.',
  },
  token_unavailable: {
    httpStatus: 503,
    reasonCode: 0x88,
    severity: 'warning',
    meaning: 'No access token could be fetched: the authorization server did not answer, or answered what is none.',
    cure: 'Look at the address of the authorization server and at the way to it; the client tries again by itself.',
  },
  renewal_refused: {
    httpStatus: 502,
    reasonCode: 0x87,
    severity: 'error',
    meaning: 'The server did not take the proof with which a client wanted to go on, and ended the session.',
    cure: 'Run `sallyport explain` with the ticket of the refusal. A renewed access token must name the same principal, and its issuer must still be trusted.',
  },
  server_not_proven: {
    httpStatus: 502,
    reasonCode: 0x88,
    severity: 'error',
    meaning:
      'The server did not prove that it knows the password of this client, or asked for a weaker proof than is given.',
    cure: 'Make sure that the host is the right one. If the password was changed, give the client the new one; if nothing was changed, somebody may stand in between.',
  },
  certificate_not_renewed: {
    httpStatus: 502,
    reasonCode: 0x88,
    severity: 'warning',
    meaning:
      'A client could not renew its certificate. The present one is used until it ends, and the client tries again by itself.',
    cure: 'Read the message, and look for the refusal with `sallyport refusals`; without renewal the client must enrol anew once its certificate has ended.',
  },
  server_packet_too_large: {
    httpStatus: 502,
    reasonCode: 0x95,
    severity: 'warning',
    meaning:
      'The server sends a client a larger packet than the client takes; the client leaves the connection before it is read.',
    cure: 'Give the client a larger maximumPacketSize, or send it less at a time. A server of Sallyport drops such a message for clients of MQTT 5.',
  },
} as const satisfies Record<string, FailureRow>;
