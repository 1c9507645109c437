import { toBase64url } from './base64url.ts';

const SIZE = 16;

/**
 * The name of a pair of public keys: the first 16 bytes of SHA-256 over the key for signatures and, if there is one, that for sealing;
 * Base64url.
 */
export async function keyIdOf(signingKey: Uint8Array, sealingKey: Uint8Array | undefined): Promise<string> {
  const both = Uint8Array.from([...signingKey, ...(sealingKey ?? [])]);
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', both)).subarray(0, SIZE));
}
