import type { webcrypto } from 'node:crypto';
import { fromBase64url } from './base64url.ts';

/** A key pair for X25519 whose private half can be used and not be read. */
export interface SealingKey {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly pair: webcrypto.CryptoKeyPair;
}

const X25519 = { name: 'X25519' } as const;

/** A new key pair as JWK (RFC 8037). The member `d` is the secret. */
export async function generateSealingKey(): Promise<webcrypto.JsonWebKey> {
  const { privateKey } = (await crypto.subtle.generateKey(X25519, true, ['deriveBits'])) as webcrypto.CryptoKeyPair;
  const { kty, crv, x, d } = await crypto.subtle.exportKey('jwk', privateKey);
  return JSON.parse(JSON.stringify({ kty, crv, x, d })) as webcrypto.JsonWebKey;
}

/** The key pair of a JWK; undefined if it is none. */
export async function sealingKeyOf(jwk: webcrypto.JsonWebKey): Promise<SealingKey | undefined> {
  const { kty, crv, x, d } = jwk;
  const publicBytes = sealingPublicKeyOf(jwk);
  if (publicBytes === undefined || d === undefined) return undefined;
  try {
    const own = JSON.parse(JSON.stringify({ kty, crv, x, d })) as webcrypto.JsonWebKey;
    const privateKey = await crypto.subtle.importKey('jwk', own, X25519, false, ['deriveBits']);
    const publicKey = await crypto.subtle.importKey('raw', publicBytes, X25519, true, []);
    return { publicKey: publicBytes, pair: { privateKey, publicKey } };
  } catch {
    return undefined;
  }
}

/** The 32 bytes of a public JWK on X25519; undefined if it is none. */
export function sealingPublicKeyOf(jwk: {
  readonly kty?: unknown;
  readonly crv?: unknown;
  readonly x?: unknown;
}): Uint8Array<ArrayBuffer> | undefined {
  if (jwk.kty !== 'OKP' || jwk.crv !== 'X25519' || typeof jwk.x !== 'string') return undefined;
  const bytes = fromBase64url(jwk.x);
  return bytes?.length === 32 ? bytes : undefined;
}
