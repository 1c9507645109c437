import type { webcrypto } from 'node:crypto';
import { fromBase64url, toBase64url } from './base64url.ts';
import { isSmallOrder } from './small-order.ts';

/** EdDSA is Ed25519 (RFC 8032), ES256 is ECDSA on P-256 with SHA-256. */
export type SigningAlgorithm = 'EdDSA' | 'ES256';

/** A public key for signatures: 32 bytes for EdDSA, the uncompressed point of 65 bytes for ES256. */
export interface VerificationKey {
  readonly algorithm: SigningAlgorithm;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What can sign. The private key may be in hardware: `sign` answers 64 bytes (RFC 8032, or r and s of ES256). */
export interface Signer {
  readonly publicKey: VerificationKey;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

const PARAMETERS = {
  EdDSA: { key: { name: 'Ed25519' }, signature: { name: 'Ed25519' }, size: 32 },
  ES256: {
    key: { name: 'ECDSA', namedCurve: 'P-256' },
    signature: { name: 'ECDSA', hash: 'SHA-256' },
    size: 65,
  },
} as const;

const SIGNATURE_SIZE = 64;

/** A new key pair as JWK (RFC 7517, RFC 8037). The member `d` is the secret. */
export async function generateSigningKey(algorithm: SigningAlgorithm = 'EdDSA'): Promise<webcrypto.JsonWebKey> {
  const { privateKey } = (await crypto.subtle.generateKey(PARAMETERS[algorithm].key, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', privateKey);
  return JSON.parse(JSON.stringify({ kty, crv, x, y, d })) as webcrypto.JsonWebKey;
}

/** A signer with a key of {@link generateSigningKey}; undefined if the JWK is none. */
export async function signerOf(jwk: webcrypto.JsonWebKey): Promise<Signer | undefined> {
  const publicKey = verificationKeyOf(jwk);
  if (publicKey === undefined || jwk.d === undefined) return undefined;
  const { key, signature } = PARAMETERS[publicKey.algorithm];
  try {
    const { kty, crv, x, y, d } = jwk;
    const own = JSON.parse(JSON.stringify({ kty, crv, x, y, d })) as webcrypto.JsonWebKey;
    const privateKey = await crypto.subtle.importKey('jwk', own, key, false, ['sign']);
    return {
      publicKey,
      sign: async (message) =>
        new Uint8Array(await crypto.subtle.sign(signature, privateKey, Uint8Array.from(message))),
    };
  } catch {
    return undefined;
  }
}

/** True if the signature is one of this key over this message. Never throws: what cannot be judged is not good. */
export async function verifies(key: VerificationKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const parameters = PARAMETERS[key.algorithm];
  if (signature.length !== SIGNATURE_SIZE || key.bytes.length !== parameters.size) return false;
  if (key.algorithm === 'EdDSA' && isSmallOrder(key.bytes)) return false;
  try {
    const publicKey = await crypto.subtle.importKey('raw', key.bytes, parameters.key, true, ['verify']);
    return await crypto.subtle.verify(
      parameters.signature,
      publicKey,
      Uint8Array.from(signature),
      Uint8Array.from(message),
    );
  } catch {
    return false;
  }
}

/** The public half of a JWK; undefined if it is on neither curve, or one that anybody can sign for. */
export function verificationKeyOf(jwk: {
  readonly kty?: unknown;
  readonly crv?: unknown;
  readonly x?: unknown;
  readonly y?: unknown;
}): VerificationKey | undefined {
  const x = coordinate(jwk.x);
  if (x === undefined) return undefined;
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    return isSmallOrder(x) ? undefined : { algorithm: 'EdDSA', bytes: x };
  }
  const y = coordinate(jwk.y);
  if (jwk.kty !== 'EC' || jwk.crv !== 'P-256' || y === undefined) return undefined;
  return { algorithm: 'ES256', bytes: Uint8Array.from([4, ...x, ...y]) };
}

/** The public JWK of a key. */
export function jwkOf({ algorithm, bytes }: VerificationKey): Readonly<Record<string, string>> {
  return algorithm === 'EdDSA'
    ? { kty: 'OKP', crv: 'Ed25519', x: toBase64url(bytes) }
    : { kty: 'EC', crv: 'P-256', x: toBase64url(bytes.subarray(1, 33)), y: toBase64url(bytes.subarray(33)) };
}

function coordinate(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  const bytes = typeof value === 'string' ? fromBase64url(value) : undefined;
  return bytes?.length === 32 ? bytes : undefined;
}
