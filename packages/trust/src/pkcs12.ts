import { createHash, createHmac, createPrivateKey, randomBytes } from 'node:crypto';
import { element, explicit, NULL, objectIdentifier, octetString, sequence, smallInteger } from './der-writer.ts';
import { encryptWithPassword } from './pbes2.ts';
import { certificatesFromPem } from './pem.ts';
import { pkcs12Key } from './pkcs12-key.ts';

const CMS_DATA = objectIdentifier('1.2.840.113549.1.7.1');
const CMS_ENCRYPTED = objectIdentifier('1.2.840.113549.1.7.6');
const SHROUDED_KEY = objectIdentifier('1.2.840.113549.1.12.10.1.2');
const CERTIFICATE_BAG = objectIdentifier('1.2.840.113549.1.12.10.1.3');
const X509 = objectIdentifier('1.2.840.113549.1.9.22.1');
const FRIENDLY_NAME = objectIdentifier('1.2.840.113549.1.9.20');
const LOCAL_KEY = objectIdentifier('1.2.840.113549.1.9.21');
const SHA256 = objectIdentifier('2.16.840.1.101.3.4.2.1');
/** A guess at the password may go against the seal instead of the encryption, so it costs as much. */
const SEAL_ITERATIONS = 600_000;

/**
 * A key with its certificates as one PKCS#12 file (RFC 7292), for programs that take nothing else: AES-256 and HMAC with SHA-256,
 * which openssl 1.1.1, Java 8u301, Windows Server 2019 and anything later read.
 */
export async function pkcs12Of(options: {
  /** PKCS#8 PEM without a passphrase. */
  readonly keyPem: string;
  /** The certificate of the key first, then those above it. */
  readonly chainPem: string;
  readonly password: string;
  /** What programs call the entry. */
  readonly name: string;
}): Promise<Uint8Array> {
  const { keyPem, chainPem, password, name } = options;
  const [leaf, ...above] = certificatesFromPem(chainPem);
  if (!leaf) throw new TypeError('there is no certificate to export');
  const keyId = createHash('sha1').update(leaf).digest();
  const attributes = set(attribute(FRIENDLY_NAME, bmpString(name)), attribute(LOCAL_KEY, octetString(keyId)));

  const certificates = sequence(
    bag(CERTIFICATE_BAG, sequence(X509, explicit(0, octetString(leaf))), attributes),
    ...above.map((der) => bag(CERTIFICATE_BAG, sequence(X509, explicit(0, octetString(der))))),
  );
  const shielded = await encryptWithPassword(certificates, password);
  const key = await encryptWithPassword(createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' }), password);
  const keyBag = sequence(bag(SHROUDED_KEY, sequence(key.algorithm, octetString(key.ciphertext)), attributes));
  const content = sequence(
    sequence(
      CMS_ENCRYPTED,
      explicit(
        0,
        sequence(smallInteger(0), sequence(CMS_DATA, shielded.algorithm, element(0x80, shielded.ciphertext))),
      ),
    ),
    cmsData(keyBag),
  );
  return sequence(smallInteger(3), cmsData(content), seal(content, password));
}

/** RFC 7292 section 5.1 step 5: what the password vouches for. */
function seal(content: Uint8Array, password: string): Uint8Array {
  const salt = randomBytes(16);
  const key = pkcs12Key({ hash: 'sha256', password, salt, iterations: SEAL_ITERATIONS, purpose: FOR_SEAL, length: 32 });
  const mac = createHmac('sha256', key).update(content).digest();
  return sequence(sequence(sequence(SHA256, NULL), octetString(mac)), octetString(salt), smallInteger(SEAL_ITERATIONS));
}

const FOR_SEAL = 3;

function bag(kind: Uint8Array, value: Uint8Array, attributes?: Uint8Array): Uint8Array {
  return sequence(kind, explicit(0, value), ...(attributes ? [attributes] : []));
}

function attribute(kind: Uint8Array, value: Uint8Array): Uint8Array {
  return sequence(kind, set(value));
}

/** DER sorts the members of a set by their bytes (ITU-T X.690 section 11.6). */
function set(...members: readonly Uint8Array[]): Uint8Array {
  return element(0x31, ...[...members].sort((a, b) => Buffer.compare(a, b)));
}

function cmsData(content: Uint8Array): Uint8Array {
  return sequence(CMS_DATA, explicit(0, octetString(content)));
}

function bmpString(text: string): Uint8Array {
  return element(0x1e, utf16(text));
}

/** Big-endian. */
function utf16(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le').swap16();
}
