import { Failure } from '@sallyport/model';
import { toHex } from './fingerprint.ts';
import { type KeyPair, type PublicKey, SIGNATURE_ALGORITHM } from './key-pair.ts';
import { x509 } from './x509-library.ts';

/** Certificates begin a little before they are made: the clocks of devices are seldom exact. Milliseconds. */
export const BACKDATED = 10 * 60_000;

/** Long enough for a client id of the longest organisation, type and device. */
const COMMON_NAME_LENGTH_MAXIMUM = 120;

export interface CertifyOptions {
  readonly signer: { readonly keys: KeyPair } & (
    | { readonly name: string }
    | { readonly certificate: { readonly der: Uint8Array; readonly notBefore: number; readonly notAfter: number } }
  );
  /** Common name: the only part of our subjects. */
  readonly subject: string;
  readonly publicKey: PublicKey;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly x509.Extension[];
}

/** Signs one certificate; adds serial, subject key and authority key identifiers. Gives the DER. */
export async function certify(options: CertifyOptions): Promise<Uint8Array> {
  const { signer, subject } = options;
  // Control characters would let a name look like another in logs and pages.
  if (subject === '' || subject.length > COMMON_NAME_LENGTH_MAXIMUM || /\p{C}/u.test(subject)) {
    throw new Failure(
      'invalid_request',
      `a common name has 1 to ${COMMON_NAME_LENGTH_MAXIMUM} characters and no control characters`,
    );
  }
  const issuer = 'name' in signer ? nameOf(signer.name) : issuerOf(signer.certificate.der).subjectName;
  const notBefore = 'name' in signer ? options.notBefore : Math.max(options.notBefore, signer.certificate.notBefore);
  if (wholeSeconds(options.notAfter) <= wholeSeconds(notBefore)) {
    throw new Failure('key_material_invalid', `the authority "${issuer}" is not in force at this time`, {
      cure: 'Check the clock of this machine; if it is right, make a new authority.',
    });
  }
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: nameOf(subject),
    issuer,
    notBefore: new Date(wholeSeconds(notBefore)),
    notAfter: new Date(wholeSeconds(options.notAfter)),
    publicKey: options.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: SIGNATURE_ALGORITHM,
    extensions: [
      ...options.extensions,
      await x509.SubjectKeyIdentifierExtension.create(options.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.keys.publicKey),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** RFC 5280 section 4.1.2.5 forbids fractions of a second. */
export function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

/** 126 random bits in 16 bytes. The first byte is 0x40 to 0x7f: positive, and never with a leading zero that DER forbids. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return toHex(bytes);
}

/** As an object, because the library reads escapes, quotes and a leading `#` in a text and so would change a name. */
function nameOf(commonName: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
}

function issuerOf(der: Uint8Array): x509.X509Certificate {
  return new x509.X509Certificate(Uint8Array.from(der));
}
