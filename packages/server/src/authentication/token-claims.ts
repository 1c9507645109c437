import { createHash } from 'node:crypto';
import type { RefusalReason } from '@sallyport/model';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { KnownIssuer } from './known-issuer.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Why claims do not count. */
export interface ClaimProblem {
  readonly reason: RefusalReason;
  readonly text: string;
  readonly compared?: { readonly what: string; readonly found: string; readonly expected: string };
}

/** RFC 9068 section 2.2. */
const DEMANDED = ['iss', 'aud', 'exp', 'sub', 'client_id', 'iat', 'jti'];
const FEWER_DEMANDED = ['iss', 'aud', 'exp'];
/** Beyond it, a number of seconds is no date. */
const LAST_DATE = 8_640_000_000_000;

/**
 * What is wrong with the claims of a token that its issuer has signed or vouched for; undefined if nothing is. `now` in milliseconds.
 */
export function judgeClaims(
  issuer: KnownIssuer,
  claims: Claims,
  now: number,
  demanded: 'signed' | 'introspected',
): ClaimProblem | undefined {
  const wanted = demanded === 'signed' && issuer.typ !== 'any' ? DEMANDED : FEWER_DEMANDED;
  // An introspected token was vouched for by its issuer: RFC 7662 leaves "iss" out of it.
  const absent = wanted.find((name) => claims[name] === undefined && !(demanded === 'introspected' && name === 'iss'));
  if (absent !== undefined)
    return { reason: 'access_token_invalid', text: `The access token has no claim "${absent}".` };
  if (claims.iss !== undefined && claims.iss !== issuer.issuer) {
    return differs('access_token_unknown_issuer', 'issuer', printable(claims.iss), issuer.issuer);
  }
  const audiences = typeof claims.aud === 'string' ? [claims.aud] : claims.aud;
  if (!Array.isArray(audiences) || !audiences.every((each) => typeof each === 'string')) {
    return { reason: 'access_token_invalid', text: 'The claim "aud" is neither a text nor a list of texts.' };
  }
  if (!audiences.includes(issuer.audience)) {
    return differs(
      'access_token_wrong_audience',
      'audience',
      printable(audiences.slice(0, 4).join(', ')),
      issuer.audience,
    );
  }
  return judgeTimes(issuer, claims, now);
}

function judgeTimes(issuer: KnownIssuer, claims: Claims, now: number): ClaimProblem | undefined {
  const { clockSkew, longestLife } = issuer;
  const seconds = now / 1000;
  for (const name of ['exp', 'nbf', 'iat']) {
    const value = claims[name];
    if (value !== undefined && !isDate(value)) {
      return { reason: 'access_token_invalid', text: `The claim "${name}" is no date in seconds.` };
    }
  }
  const exp = claims.exp as number;
  const iat = (claims.iat ?? Math.min(seconds, exp)) as number;
  const nbf = (claims.nbf ?? iat) as number;
  if (exp + clockSkew <= seconds) {
    return { reason: 'access_token_expired', text: `The access token expired at ${iso(exp)}.` };
  }
  const later = Math.max(nbf, iat);
  if (later - clockSkew > seconds) {
    const text = `The access token is valid, or issued, from ${iso(later)} on; it is ${iso(seconds)} here.`;
    return { reason: 'access_token_not_yet_valid', text };
  }
  if (exp - iat > longestLife) {
    return {
      reason: 'access_token_invalid',
      text: 'The access token lives longer than its issuer may let one live.',
      compared: { what: 'life in seconds', found: String(Math.ceil(exp - iat)), expected: `${longestLife} at most` },
    };
  }
  return undefined;
}

/** When the session of a token ends, milliseconds since the epoch: with the token; in the clock's grace, with the grace. */
export function endOfToken({ clockSkew }: KnownIssuer, claims: Claims, now: number): number {
  const exp = claims.exp as number;
  return (exp * 1000 > now ? exp : exp + clockSkew) * 1000;
}

/** RFC 8705 section 3: a token that is bound counts on a connection with that certificate only. */
export function judgeBinding(
  { requireBound }: KnownIssuer,
  claims: Claims,
  { secure, certificate }: TransportFacts,
): ClaimProblem | undefined {
  const { cnf } = claims;
  if (cnf === undefined) {
    if (!requireBound) return undefined;
    return { reason: 'access_token_not_bound', text: 'The access token has no claim "cnf".' };
  }
  const bound = typeof cnf === 'object' && cnf !== null ? (cnf as Claims) : {};
  const thumbprint = bound['x5t#S256'];
  // A binding that is not understood must not make a bearer of it (RFC 7800 section 3.1).
  if (typeof thumbprint !== 'string' || Object.keys(bound).length !== 1) {
    return {
      reason: 'access_token_other_certificate',
      text: 'The access token is bound to something else than a certificate.',
    };
  }
  if (!secure || certificate === undefined) {
    const text = 'The access token is bound to a client certificate, and this connection showed none.';
    return { reason: 'access_token_other_certificate', text };
  }
  const own = createHash('sha256').update(certificate).digest('base64url');
  if (own === thumbprint) return undefined;
  return {
    reason: 'access_token_other_certificate',
    text: 'The access token is bound to another client certificate.',
    compared: { what: 'SHA-256 of the certificate', found: own, expected: printable(thumbprint) },
  };
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < LAST_DATE;
}

function differs(reason: RefusalReason, what: string, found: string, expected: string): ClaimProblem {
  return { reason, text: `The ${what} of the access token is another one.`, compared: { what, found, expected } };
}

/** What a stranger wrote enters a trace only short and without control characters. */
export function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value;
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length <= 120 ? clean : `${clean.slice(0, 120)}…`;
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
