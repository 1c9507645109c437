import type { webcrypto } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { derFromPem, pemOf } from './pem.ts';

/** A WebCrypto public key. */
export type PublicKey = webcrypto.CryptoKey;

/** A key pair on P-256: small, fast on servers, and spoken by every TLS library of the last ten years. */
export interface KeyPair {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: PublicKey;
}

export const SIGNATURE_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;
const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** Makes a new P-256 key pair for signatures. */
export async function generateKeyPair(): Promise<KeyPair> {
  return await crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
}

/** The private key as PKCS#8 PEM. A secret: write it only where its owner alone can read. */
export async function keyPairToPem(keys: KeyPair): Promise<string> {
  return pemOf('PRIVATE KEY', new Uint8Array(await crypto.subtle.exportKey('pkcs8', keys.privateKey)));
}

/** Reads what {@link keyPairToPem} wrote. Anything but an unencrypted P-256 key in PKCS#8 is a `key_material_invalid` failure. */
export async function keyPairFromPem(pem: string): Promise<KeyPair> {
  const der = derFromPem(pem, 'PRIVATE KEY')[0];
  if (!der) throw new Failure('key_material_invalid', 'the text holds no unencrypted PKCS#8 private key in PEM form');
  try {
    const privateKey = await crypto.subtle.importKey('pkcs8', der, KEY_ALGORITHM, true, ['sign']);
    // WebCrypto gives no public key of a private one; its JWK without the secret member is just that.
    const { d: _secret, key_ops: _operations, ...open } = await crypto.subtle.exportKey('jwk', privateKey);
    const publicKey = await crypto.subtle.importKey('jwk', open, KEY_ALGORITHM, true, ['verify']);
    return { privateKey, publicKey };
  } catch (cause) {
    throw new Failure('key_material_invalid', 'the private key is damaged or is not a P-256 key', { cause });
  }
}
