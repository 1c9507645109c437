import { createHash, createPrivateKey, timingSafeEqual, X509Certificate } from 'node:crypto';
import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { childrenOf, elementAt } from './der-reader.ts';
import { objectIdentifier } from './der-writer.ts';
import {
  KEYSTORE_BYTES_MAXIMUM,
  KEYSTORE_ENTRIES_MAXIMUM,
  type Keystore,
  type KeystoreKey,
  type KeystorePasswords,
  type TrustedEntry,
} from './keystore.ts';

const MAGIC_JKS = 0xfeedfeed;
const DIGEST = 20;
const KEY_ENTRY = 1;
const TRUSTED_ENTRY = 2;
const CHAIN_MAXIMUM = 20;
/** Sun's own protection of a key in a JKS file. */
const SUN_KEY_PROTECTOR = objectIdentifier('1.3.6.1.4.1.42.2.17.1.1');

/**
 * Reads a Java key store of the kind JKS (versions 1 and 2), as keytool wrote it before Java 9. Its seal is SHA-1 over the password, so
 * what it says is worth what the file's own protection is: read it once and keep PEM or PKCS#12.
 */
export function readJks(bytes: Uint8Array, { password, keyPassword = password }: KeystorePasswords): Parsed<Keystore> {
  if (bytes.length > KEYSTORE_BYTES_MAXIMUM) return unparsed('the key store is too large');
  const reader = new Reader(bytes);
  try {
    const magic = reader.u4();
    if (magic !== MAGIC_JKS)
      return unparsed(
        'it is a JCEKS store, which is not read; convert it with `keytool -importkeystore -deststoretype PKCS12`',
      );
    const version = reader.u4();
    if (version !== 1 && version !== 2) return unparsed(`it is a JKS store of version ${version}; 1 and 2 are read`);
    if (!isSealed(bytes, password)) return unparsed('the password is wrong, or the file is damaged');
    const count = reader.u4();
    if (count > KEYSTORE_ENTRIES_MAXIMUM)
      return unparsed(`it holds ${count} entries; at most ${KEYSTORE_ENTRIES_MAXIMUM}`);
    return entries(reader, count, version, keyPassword, bytes.length - DIGEST);
  } catch (error) {
    if (error instanceof Truncated) return unparsed('the file ends too early, or a length in it is wrong');
    throw error;
  }
}

function entries(reader: Reader, count: number, version: number, keyPassword: string, end: number): Parsed<Keystore> {
  const keys: KeystoreKey[] = [];
  const trusted: TrustedEntry[] = [];
  for (let entry = 0; entry < count; entry++) {
    const tag = reader.u4();
    const name = reader.text();
    reader.skip(8);
    if (tag === TRUSTED_ENTRY) {
      const certificate = readCertificate(reader, version);
      if (!certificate) return unparsed(`the entry "${name}" holds no X.509 certificate`);
      trusted.push({ name, certificate });
      continue;
    }
    if (tag !== KEY_ENTRY) return unparsed(`the entry "${name}" is of the unknown kind ${tag}`);
    const sealed = reader.bytes(reader.u4());
    const links = reader.u4();
    if (links > CHAIN_MAXIMUM) return unparsed(`the entry "${name}" has a chain of ${links} certificates`);
    const chain: Uint8Array[] = [];
    for (let link = 0; link < links; link++) {
      const certificate = readCertificate(reader, version);
      if (!certificate) return unparsed(`the entry "${name}" holds no X.509 certificate`);
      chain.push(certificate);
    }
    const keyPem = unprotected(sealed, keyPassword);
    if (keyPem === undefined)
      return unparsed(`the key "${name}" cannot be opened: its password is another one, or it is damaged`);
    keys.push({ name, keyPem, chain });
  }
  return reader.position === end ? parsed({ keys, trusted }) : unparsed('there is something behind the last entry');
}

function readCertificate(reader: Reader, version: number): Uint8Array | undefined {
  const kind = version === 2 ? reader.text() : 'X.509';
  const der = reader.bytes(reader.u4());
  if (kind !== 'X.509') return undefined;
  try {
    return new Uint8Array(new X509Certificate(der).raw);
  } catch {
    return undefined;
  }
}

/** SHA-1 over the password, a phrase, and everything before the seal. */
function isSealed(bytes: Uint8Array, password: string): boolean {
  if (bytes.length < DIGEST) throw new Truncated();
  const content = bytes.subarray(0, bytes.length - DIGEST);
  const seal = createHash('sha1').update(utf16(password)).update('Mighty Aphrodite').update(content).digest();
  return timingSafeEqual(seal, bytes.subarray(bytes.length - DIGEST));
}

/** EncryptedPrivateKeyInfo: salt, the key under a stream of SHA-1 of password and the block before, and a digest of the key. */
function unprotected(der: Uint8Array, password: string): string | undefined {
  const whole = elementAt(der, 0, der.length);
  const [algorithm, content, ...rest] = (whole?.end === der.length && childrenOf(der, whole)) || [];
  const [oid] = (algorithm && childrenOf(der, algorithm)) ?? [];
  if (!oid || content?.tag !== 0x04 || rest.length > 0) return undefined;
  if (Buffer.compare(der.subarray(oid.start, oid.end), SUN_KEY_PROTECTOR) !== 0) return undefined;
  const sealed = der.subarray(content.content, content.end);
  if (sealed.length <= 2 * DIGEST) return undefined;
  const secret = utf16(password);
  const plain = Buffer.from(sealed.subarray(DIGEST, sealed.length - DIGEST));
  let block: Uint8Array = sealed.subarray(0, DIGEST);
  for (let at = 0; at < plain.length; at += DIGEST) {
    block = createHash('sha1').update(secret).update(block).digest();
    for (let i = 0; i < DIGEST && at + i < plain.length; i++) plain[at + i] = (plain[at + i] ?? 0) ^ (block[i] ?? 0);
  }
  const digest = createHash('sha1').update(secret).update(plain).digest();
  if (!timingSafeEqual(digest, sealed.subarray(sealed.length - DIGEST))) return undefined;
  try {
    return createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' }).export({
      type: 'pkcs8',
      format: 'pem',
    }) as string;
  } catch {
    // No cause: a parser's error could quote a piece of the key.
    return undefined;
  }
}

/** Big-endian, as Java's strings are. */
function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

class Truncated extends Error {}

/** Big-endian numbers and counted bytes, none of them beyond the end. */
class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  skip(length: number): number {
    const at = this.position;
    if (length > this.#bytes.length - at) throw new Truncated();
    this.position = at + length;
    return at;
  }

  u4(): number {
    return this.#view.getUint32(this.skip(4));
  }

  bytes(length: number): Uint8Array {
    const at = this.skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Java's modified UTF-8; it differs from UTF-8 for characters that no alias has. */
  text(): string {
    return new TextDecoder().decode(this.bytes(this.#view.getUint16(this.skip(2))));
  }
}
