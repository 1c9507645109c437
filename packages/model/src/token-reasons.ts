import type { ReasonRow } from './reason-row.ts';

const LOGIN = { stage: 'authentication', connack3: 5, reasonCode: 0x87, httpStatus: 401 } as const;

/** Reasons for which an access token, or an exchange of AUTH packets, is refused. */
export const TOKEN_REASONS = {
  not_granted: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The policy permits it, and the access token or directory that speaks for the client does not grant it.',
    cure: 'Ask for a token with a scope that covers the topic (mqtt:publish:FILTER, mqtt:subscribe:FILTER), or have it granted where the grants come from.',
  },
  access_token_invalid: {
    ...LOGIN,
    meaning: 'The access token is damaged, not signed by its issuer, or made in a way that its issuer may not use.',
    cure: 'The trace names what is wrong. Ask the authorization server for a new token; compare its algorithms and type with `sallyport issuer show`.',
  },
  access_token_unknown_issuer: {
    ...LOGIN,
    meaning: 'The access token is of an issuer that the organisation does not know.',
    cure: 'Compare the claim "iss" with `sallyport issuer list`; add the issuer with `sallyport issuer add` if it is meant.',
  },
  access_token_unknown_key: {
    ...LOGIN,
    meaning: 'The access token names a signing key that its issuer does not publish.',
    cure: 'Compare the "kid" of the token with the keys of `sallyport issuer show`; a token of before a key was withdrawn has to be fetched anew.',
  },
  access_token_expired: {
    ...LOGIN,
    meaning: 'The access token has expired.',
    cure: 'Fetch a new token; a client of MQTT 5 may renew it in its session by re-authentication. If it was fetched just now, compare the clocks.',
  },
  access_token_not_yet_valid: {
    ...LOGIN,
    meaning: 'The access token is not valid yet, or was issued in the future.',
    cure: 'Compare the clock of this machine with that of the authorization server.',
  },
  access_token_wrong_audience: {
    ...LOGIN,
    meaning: 'The access token was issued for another service.',
    cure: 'Ask the authorization server for a token with the audience that `sallyport issuer show` names.',
  },
  access_token_names_nobody: {
    ...LOGIN,
    meaning: 'The access token names nobody who is registered here, or somebody else than the client id does.',
    cure: 'Compare the claim that names the principal (`sallyport issuer show`) with the client id and with who is registered.',
  },
  access_token_scope_invalid: {
    ...LOGIN,
    httpStatus: 403,
    meaning:
      'The scopes or authorization details of the access token that speak of MQTT cannot be understood, or there are none.',
    cure: 'Have the token issued with scopes such as mqtt:publish:FILTER; an issuer whose tokens have none can be set to --grants optional, and then the policy alone decides.',
  },
  access_token_revoked: {
    ...LOGIN,
    meaning:
      'The authorization server says that the access token is not active: revoked, expired, or never issued by it.',
    cure: 'If it was revoked on purpose, someone still uses it: find it. Otherwise fetch a new token.',
  },
  access_token_not_bound: {
    ...LOGIN,
    httpStatus: 403,
    meaning: 'The access token is bound to no client certificate, and its issuer is set to give out bound ones only.',
    cure: 'Have the client fetch its token over mutual TLS (RFC 8705), or set the issuer to take unbound tokens.',
  },
  access_token_other_certificate: {
    ...LOGIN,
    httpStatus: 403,
    meaning: 'The access token is bound to a client certificate that is not the one of this connection.',
    cure: 'Connect with the certificate with which the token was fetched. If the client did, someone else holds its token: revoke it.',
  },
  issuer_unavailable: {
    stage: 'authentication',
    connack3: 3,
    reasonCode: 0x88,
    httpStatus: 503,
    meaning:
      'The authorization server did not answer, so the access token could not be judged and nobody is let in by it.',
    cure: 'Look whether this machine reaches the JWKS or introspection address of `sallyport issuer show`; clients may try again.',
  },
  exchange_broken_off: {
    ...LOGIN,
    httpStatus: 400,
    meaning: 'An exchange of AUTH packets took too many steps, or was not what its method prescribes.',
    cure: 'Compare what the client library sends with the method that it names.',
  },
  renewal_refused: {
    ...LOGIN,
    httpStatus: 403,
    meaning: 'A client that authenticated itself again in its session proved to be somebody else, or could not.',
    cure: 'Renew with a token of the same principal; another one connects by itself.',
  },
} as const satisfies Record<string, ReasonRow>;
