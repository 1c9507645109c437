import { bitString, element, integer, objectIdentifier, sequence } from './der-writer.ts';
import { type KeyPair, SIGNATURE_ALGORITHM } from './key-pair.ts';

/** AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758 section 3.2), which is what every key of ours signs with. */
export const ECDSA_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));

/** The signed structure of X.509: content, algorithm, signature, and whatever comes after. The hashing of large content is not done on this thread. */
export async function signedStructure(
  keys: Pick<KeyPair, 'privateKey'>,
  content: Uint8Array<ArrayBuffer>,
  ...after: readonly Uint8Array[]
): Promise<Uint8Array<ArrayBuffer>> {
  const raw = new Uint8Array(await crypto.subtle.sign(SIGNATURE_ALGORITHM, keys.privateKey, content));
  return element(0x30, content, ECDSA_SHA256, bitString(ecdsaValue(raw)), ...after);
}

/** WebCrypto gives r and s side by side; X.509 wants two integers (RFC 3279 section 2.2.3). */
function ecdsaValue(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  return sequence(integer(raw.subarray(0, half)), integer(raw.subarray(half)));
}
