import { childrenOf, type Element, elementAt } from './der-reader.ts';
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

/** The certificates in such an envelope, each in DER; undefined if it is none. */
export function readCertificatesOnly(der: Uint8Array): readonly Uint8Array[] | undefined {
  const whole = elementAt(der, 0, der.length);
  const [type, wrapped] = (whole && whole.end === der.length && childrenOf(der, whole)) || [];
  if (!type || !wrapped || !SIGNED_DATA.every((byte, index) => der[type.start + index] === byte)) return undefined;
  const signed = firstOf(der, wrapped);
  const set = signed && childrenOf(der, signed)?.find(({ tag }) => tag === 0xa0);
  const certificates = set && childrenOf(der, set);
  return certificates?.map(({ start, end }) => der.slice(start, end));
}

function firstOf(der: Uint8Array, parent: Element): Element | undefined {
  return childrenOf(der, parent)?.[0];
}
