import type { Parsed } from '@sallyport/model';
import type { Keystore, KeystorePasswords } from './keystore.ts';
import { readJks } from './read-jks.ts';
import { readPkcs12 } from './read-pkcs12.ts';

const JKS = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS = [0xce, 0xce, 0xce, 0xce];
const beginsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, at) => bytes[at] === byte);

/** What a file holds by its first bytes: a Java key store, or DER that may be PKCS#12. */
export function keystoreKind(bytes: Uint8Array): 'jks' | 'pkcs12' | undefined {
  if (beginsWith(bytes, JKS) || beginsWith(bytes, JCEKS)) return 'jks';
  return isPkcs12(bytes) ? 'pkcs12' : undefined;
}

/** Reads JKS or PKCS#12. A wrong password and a damaged file cannot be told apart, and no answer quotes a piece of a key. */
export async function readKeystore(bytes: Uint8Array, passwords: KeystorePasswords): Promise<Parsed<Keystore>> {
  return keystoreKind(bytes) === 'jks' ? readJks(bytes, passwords) : readPkcs12(bytes, passwords.password);
}

/** PFX is a SEQUENCE that begins with the version 3; a certificate begins with a SEQUENCE in it. */
function isPkcs12(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x30 || bytes.length < 8) return false;
  const first = bytes[1] ?? 0;
  // BER of other programs leaves the length open.
  const content = first < 0x80 ? 2 : 2 + (first & 0x7f);
  return bytes[content] === 0x02 && bytes[content + 1] === 1 && bytes[content + 2] === 3;
}
