import { createHash } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import type { TokenNames } from '../authentication/known-issuer.ts';
import { readSignedToken } from '../authentication/signed-token.ts';
import type { Claims } from '../authentication/token-claims.ts';
import { type KeyRing, SIGNING_ALGORITHM } from './signing-keys.ts';

/** A signed access token of this server whose signature was verified and which has not expired. */
export interface OwnToken {
  readonly claims: Claims;
  readonly jti: string;
  readonly sub: string;
  /** Seconds since the epoch. */
  readonly exp: number;
}

/** The claim that names the approval of an owner from which a token came, so that all its tokens can end together. */
export const APPROVAL_CLAIM = 'sallyport_approval';

/** How tokens name an approval: nothing can be done with the name. */
export function approvalName(grantId: string): string {
  return createHash('sha256').update(`approval ${grantId}`).digest('base64url').slice(0, 22);
}

/** Reads a signed token of the issuer; undefined if it is none, or one that does not count any more. `now` in milliseconds. */
export async function readOwnToken(
  text: string,
  { ring, issuer, audience, now }: { ring: KeyRing; issuer: string; audience: string; now: number },
): Promise<OwnToken | undefined> {
  const read = readSignedToken(text);
  if (!read.ok) return undefined;
  const { header, claims } = read.token;
  const key = ring.keys.find(({ kid }) => kid === header.kid);
  if (key === undefined || header.alg !== SIGNING_ALGORITHM || header.typ !== 'at+jwt') return undefined;
  const { d: _, ...publicKey } = key.jwk;
  try {
    await compactVerify(text, await importJWK(publicKey, SIGNING_ALGORITHM), { algorithms: [SIGNING_ALGORITHM] });
  } catch {
    return undefined;
  }
  const { iss, aud, exp, jti, sub } = claims;
  if (iss !== issuer || aud !== audience || typeof exp !== 'number' || exp * 1000 <= now) return undefined;
  return typeof jti === 'string' && typeof sub === 'string' ? { claims, jti, sub, exp } : undefined;
}

/** By what a token of this server is found among those that were revoked. */
export function tokenNames(claims: Claims): TokenNames {
  const { jti, sub, iat, [APPROVAL_CLAIM]: approval } = claims;
  return {
    ...(typeof jti === 'string' ? { jti } : {}),
    ...(typeof approval === 'string' ? { approval } : {}),
    ...(typeof sub === 'string' ? { sub } : {}),
    ...(typeof iat === 'number' ? { issuedAt: iat } : {}),
  };
}
