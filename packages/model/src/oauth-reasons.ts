import type { ReasonRow } from './reason-row.ts';

/** Reasons of the authorization server. */
export const OAUTH_REASONS = {
  oauth_client_rejected: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'A client of the authorization server could not prove who it is.',
    cure: 'Send the key or id of the application as client_id and its token as client_secret, or sign with a key that `sallyport oauth add-key` has registered.',
  },
  oauth_certificate_rejected: {
    stage: 'certificate',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning:
      'A client of the authorization server showed a certificate that does not prove that it is the client it names.',
    cure: 'Compare the trace with `sallyport certificate list`: the certificate must be issued or pinned to this client, or name it and be of an authority that the organisation trusts.',
  },
  oauth_scope_not_permitted: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 400,
    meaning: 'A scope was asked for that the policy does not permit to the client, or that is not understood.',
    cure: 'Ask for scopes of the form mqtt:publish:FILTER and mqtt:subscribe:FILTER that the policy permits, or for none to get all that it permits.',
  },
  oauth_grant_rejected: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 400,
    meaning:
      'A device code or refresh token was shown that does not count: it is wrong, used, denied, expired, or its device may not act.',
    cure: 'Let the device begin anew; if it was removed or suspended, register or resume it first.',
  },
  oauth_request_invalid: {
    stage: 'protocol',
    connack3: 1,
    reasonCode: 0x83,
    httpStatus: 400,
    meaning: 'A request to the authorization server is malformed.',
    cure: 'Compare the request with the guide page about the authorization server; the trace says what is wrong with it.',
  },
} as const satisfies Record<string, ReasonRow>;
