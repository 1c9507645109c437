import { element, explicit, objectIdentifier, sequence, smallInteger } from './der-writer.ts';

const SIGNED_DATA = objectIdentifier('1.2.840.113549.1.7.2');
const DATA = objectIdentifier('1.2.840.113549.1.7.1');
const NO_ALGORITHMS = element(0x31);
const NO_SIGNERS = element(0x31);

/** Certificates in a PKCS#7 envelope that signs nothing ("certs-only", RFC 5652 section 5 and RFC 7030 section 4.1.3). DER. */
export function certificatesOnly(certificates: readonly Uint8Array[]): Uint8Array {
  const set = element(0xa0, ...certificates);
  return sequence(SIGNED_DATA, explicit(0, sequence(smallInteger(1), NO_ALGORITHMS, sequence(DATA), set, NO_SIGNERS)));
}
