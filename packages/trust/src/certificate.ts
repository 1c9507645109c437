import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { fingerprintSha256 } from './fingerprint.ts';
import { certificatesFromPem } from './pem.ts';
import { keyOf, Recent } from './recent.ts';
import { type RevocationPointers, revocationPointers } from './revocation-pointers.ts';
import { isSignedStructure, namesOneAlgorithm } from './strict-der.ts';
import { x509 } from './x509-library.ts';

/** Names of RFC 5280 section 4.2.1.3. */
export type KeyUsage =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly';

/** `serverAuth` and `clientAuth` by name, every other purpose as its object identifier. */
export type ExtendedKeyUsage = 'serverAuth' | 'clientAuth' | (string & {});

export interface SubjectAlternativeNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly email: readonly string[];
  readonly uri: readonly string[];
}

/** What a certificate says of itself. Reading it proves nothing: only `verifyChain` does. */
export interface CertificateFacts {
  readonly der: Uint8Array;
  /** RFC 4514 text. */
  readonly subject: string;
  /** The last one, where a subject has several. */
  readonly commonName?: string;
  readonly subjectAlternativeNames: SubjectAlternativeNames;
  /** Lower-case hexadecimal, two digits a byte, no leading zero bytes. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly issuer: string;
  /** SHA-256 of the DER of the subject's name, lower-case hexadecimal: texts of names are ambiguous. */
  readonly subjectNameHash: string;
  /** SHA-256 of the DER of the issuer's name, lower-case hexadecimal. With the serial it names a certificate for revocation. */
  readonly issuerNameHash: string;
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprintSha256: string;
  /** The basic constraints allow it to certify others. */
  readonly isAuthority: boolean;
  /** How many authorities may follow below it; undefined: any number. */
  readonly pathLength?: number;
  /** Undefined if the extension is absent, which permits every usage. */
  readonly keyUsages?: readonly KeyUsage[];
  /** Undefined if the extension is absent, which permits every purpose. */
  readonly extendedKeyUsages?: readonly ExtendedKeyUsage[];
  readonly revocation: RevocationPointers;
}

/** No honest certificate is larger; a parser of a stranger's bytes needs a bound. */
export const CERTIFICATE_BYTES_MAXIMUM = 65_536;

/** Reads a certificate from DER, or the first one of a PEM text. */
export async function readCertificate(input: Uint8Array | string): Promise<Parsed<CertificateFacts>> {
  const der = typeof input === 'string' ? certificatesFromPem(input)[0] : input;
  if (!der) return unparsed('the text holds no certificate in PEM form');
  const known = recentlyInspected(der);
  if (known) return parsed(known.facts);
  const certificate = parseCertificate(der);
  if (!certificate) return unparsed('the bytes are not an X.509 certificate');
  try {
    return parsed((await inspect(certificate, der)).facts);
  } catch {
    return unparsed('the certificate has an extension that is not well formed');
  }
}

/** A certificate as the library sees it, and what it says of itself. */
export interface Inspected {
  readonly certificate: x509.X509Certificate;
  readonly facts: CertificateFacts;
}

/** Reading one costs more than the rest of a handshake, and devices and authorities come again. */
const RECENT = new Recent<Inspected>(2000);
const LARGEST_KEPT = 4096;

function recentlyInspected(der: Uint8Array): Inspected | undefined {
  return der.length > LARGEST_KEPT ? undefined : RECENT.find(keyOf(der));
}

async function inspect(certificate: x509.X509Certificate, der: Uint8Array): Promise<Inspected> {
  const inspected = { certificate, facts: await certificateFacts(certificate, der) };
  if (der.length <= LARGEST_KEPT) RECENT.keep(keyOf(der), inspected);
  return inspected;
}

/** Undefined if the bytes are not exactly one certificate, or one with an extension that is not well formed. */
export async function inspectCertificate(der: Uint8Array): Promise<Inspected | undefined> {
  const known = recentlyInspected(der);
  if (known) return known;
  const certificate = parseCertificate(der);
  if (!certificate) return undefined;
  try {
    return await inspect(certificate, der);
  } catch {
    return undefined;
  }
}

/** The library's view, or undefined if the bytes are not exactly one certificate. */
export function parseCertificate(der: Uint8Array): x509.X509Certificate | undefined {
  if (der.length > CERTIFICATE_BYTES_MAXIMUM || !isSignedStructure(der) || !namesOneAlgorithm(der)) return undefined;
  try {
    return new x509.X509Certificate(Uint8Array.from(der));
  } catch {
    return undefined;
  }
}

export async function certificateFacts(certificate: x509.X509Certificate, der: Uint8Array): Promise<CertificateFacts> {
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
  const usages = certificate.getExtension(x509.KeyUsagesExtension);
  const purposes = certificate.getExtension(x509.ExtendedKeyUsageExtension);
  const commonName = certificate.subjectName.getField('CN').at(-1);
  return {
    der: Uint8Array.from(der),
    subject: certificate.subject,
    ...(commonName === undefined ? {} : { commonName }),
    subjectAlternativeNames: alternativeNames(certificate),
    serial: canonicalSerial(certificate.serialNumber),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
    issuer: certificate.issuer,
    subjectNameHash: await fingerprintSha256(new Uint8Array(certificate.subjectName.toArrayBuffer())),
    issuerNameHash: await fingerprintSha256(new Uint8Array(certificate.issuerName.toArrayBuffer())),
    fingerprintSha256: await fingerprintSha256(der),
    isAuthority: constraints?.ca ?? false,
    ...(constraints?.pathLength === undefined ? {} : { pathLength: constraints.pathLength }),
    ...(usages ? { keyUsages: keyUsageNames(usages.usages) } : {}),
    ...(purposes ? { extendedKeyUsages: purposes.usages.map((oid) => PURPOSES[String(oid)] ?? String(oid)) } : {}),
    revocation: revocationPointers(certificate),
  };
}

/** A serial as people copy it from other tools (`0x0D`, `0d`, `00:83`) in the form of {@link CertificateFacts.serial}. */
export function canonicalSerial(text: string): string {
  const digits = text.trim().toLowerCase().replace(/^0x/, '').replace(/[: ]/g, '');
  const whole = digits.length % 2 === 0 ? digits : `0${digits}`;
  return whole.replace(/^(00)+(?=..)/, '');
}

const PURPOSES: Readonly<Record<string, ExtendedKeyUsage>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
};

const KEY_USAGES: readonly KeyUsage[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** The flags of the library follow the bit order of RFC 5280. */
function keyUsageNames(flags: number): KeyUsage[] {
  return KEY_USAGES.filter((_, bit) => (flags & (1 << bit)) !== 0);
}

function alternativeNames(certificate: x509.X509Certificate): SubjectAlternativeNames {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const of = (type: string): string[] => names.filter((name) => name.type === type).map((name) => name.value);
  return { dns: of('dns'), ip: of('ip'), email: of('email'), uri: of('url') };
}
