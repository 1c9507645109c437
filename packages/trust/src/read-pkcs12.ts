import { createHmac, createPrivateKey, timingSafeEqual, X509Certificate } from 'node:crypto';
import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { childrenOf, type Element, elementAt } from './der-reader.ts';
import {
  belongsTo,
  chainFrom,
  KEYSTORE_BYTES_MAXIMUM,
  KEYSTORE_ENTRIES_MAXIMUM,
  type Keystore,
  type KeystoreKey,
  type TrustedEntry,
} from './keystore.ts';
import { decryptWithPassword, ITERATIONS_MAXIMUM, oidOf, Unreadable } from './password-decryption.ts';
import { pkcs12Key } from './pkcs12-key.ts';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const BAGS = '1.2.840.113549.1.12.10.1';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const MAC_HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const FOR_SEAL = 3;
/** SEQUENCE, SET, and the context tag around a value. */
const CONTAINERS: ReadonlySet<number> = new Set([0x30, 0x31, 0xa0]);
const DEPTH_MAXIMUM = 4;

const WRITE_ANEW = 'write it anew with `openssl pkcs12 -legacy -in FILE -nodes | openssl pkcs12 -export -out NEW`';

/** Reads a PKCS#12 file (RFC 7292) whose seal was made with the password; one without a seal is refused. */
export async function readPkcs12(bytes: Uint8Array, password: string): Promise<Parsed<Keystore>> {
  if (bytes.length > KEYSTORE_BYTES_MAXIMUM) return unparsed('the PKCS#12 file is too large');
  try {
    const pfx = one(bytes, 0, bytes.length);
    if (pfx.end !== bytes.length) throw new Unreadable('there is something behind its end');
    const [version, authSafe, mac] = children(bytes, pfx);
    if (version?.tag !== 0x02 || !authSafe) throw new Unreadable('it is no PKCS#12 file');
    if (!mac) throw new Unreadable('it has no seal (MAC), so nothing vouches for what is in it');
    const content = dataOf(bytes, authSafe);
    if (!isSealed(bytes, mac, content, password)) return unparsed('the password is wrong, or the file is damaged');
    const found: Found = { keys: [], certificates: [] };
    await readSafe(content, password, found);
    return parsed(sorted(found));
  } catch (error) {
    if (error instanceof Unreadable) return unparsed(error.message);
    throw error;
  }
}

interface Found {
  readonly keys: { readonly name: string; readonly keyPem: string }[];
  readonly certificates: TrustedEntry[];
}

/** Each key with its certificate and those above it; what is of no key is trusted by itself. */
function sorted({ keys, certificates }: Found): Keystore {
  const used = new Set<Uint8Array>();
  const entries = keys.map(({ name, keyPem }): KeystoreKey => {
    const own = certificates.find(({ certificate }) => belongsTo(keyPem, certificate));
    if (!own) return { name, keyPem, chain: [] };
    const others = certificates.map(({ certificate }) => certificate).filter((der) => der !== own.certificate);
    const chain = chainFrom(own.certificate, others);
    for (const der of chain) used.add(der);
    return { name: name || own.name, keyPem, chain };
  });
  return { keys: entries, trusted: certificates.filter(({ certificate }) => !used.has(certificate)) };
}

/** AuthenticatedSafe: portions, each in clear or encrypted. */
async function readSafe(content: Uint8Array, password: string, found: Found): Promise<void> {
  for (const info of children(content, one(content, 0, content.length))) {
    const [type, value] = children(content, info);
    const kind = type && oidOf(content, type);
    if (kind === DATA) {
      await readBags(dataOf(content, info), password, found, 0);
    } else if (kind === ENCRYPTED_DATA && value) {
      const [, encrypted] = children(content, one(content, value.content, value.end));
      const [, algorithm, sealed] = encrypted ? children(content, encrypted) : [];
      if (!algorithm || sealed?.tag !== 0x80) throw new Unreadable(`it is written in BER pieces; ${WRITE_ANEW}`);
      const plain = await decryptWithPassword(
        content.subarray(algorithm.start, algorithm.end),
        content.subarray(sealed.content, sealed.end),
        password,
      );
      await readBags(plain, password, found, 0);
    } else throw new Unreadable('a part of it is sealed for a public key, not with a password');
  }
}

async function readBags(bytes: Uint8Array, password: string, found: Found, depth: number): Promise<void> {
  if (depth > DEPTH_MAXIMUM) throw new Unreadable('it is nested too deeply');
  for (const bag of children(bytes, one(bytes, 0, bytes.length))) {
    if (found.keys.length + found.certificates.length >= KEYSTORE_ENTRIES_MAXIMUM)
      throw new Unreadable(`it holds more than ${KEYSTORE_ENTRIES_MAXIMUM} entries`);
    const [type, value, attributes] = children(bytes, bag);
    if (!type || value?.tag !== 0xa0) throw new Unreadable('a part of it is damaged');
    const inner = one(bytes, value.content, value.end);
    const name = attributes ? friendlyName(bytes, attributes) : '';
    switch (oidOf(bytes, type)) {
      case `${BAGS}.1`:
        found.keys.push({ name, keyPem: pemOfKey(bytes.subarray(inner.start, inner.end)) });
        break;
      case `${BAGS}.2`: {
        const [algorithm, sealed] = children(bytes, inner);
        if (!algorithm || sealed?.tag !== 0x04) throw new Unreadable('a key in it is damaged');
        const plain = await decryptWithPassword(
          bytes.subarray(algorithm.start, algorithm.end),
          bytes.subarray(sealed.content, sealed.end),
          password,
        );
        found.keys.push({ name, keyPem: pemOfKey(plain) });
        break;
      }
      case `${BAGS}.3`: {
        const [kind, wrapped] = children(bytes, inner);
        if (!kind || !wrapped || oidOf(bytes, kind) !== X509_CERTIFICATE) break;
        const octets = one(bytes, wrapped.content, wrapped.end);
        found.certificates.push({ name, certificate: certificateOf(bytes.subarray(octets.content, octets.end)) });
        break;
      }
      case `${BAGS}.6`:
        await readBags(bytes.subarray(inner.start, inner.end), password, found, depth + 1);
        break;
      default:
        // Revocation lists and secrets of other kinds are of no use here.
        break;
    }
  }
}

/** RFC 7292 section 5.1 step 5. */
function isSealed(bytes: Uint8Array, mac: Element, content: Uint8Array, password: string): boolean {
  const [info, salt, rounds] = children(bytes, mac);
  const [algorithm, digest] = info ? children(bytes, info) : [];
  const [oid] = algorithm ? children(bytes, algorithm) : [];
  if (!oid || !digest || !salt) throw new Unreadable('its seal is damaged');
  const hash = MAC_HASHES[oidOf(bytes, oid)];
  if (hash === undefined) throw new Unreadable(`its seal is of a kind that is not read (${oidOf(bytes, oid)})`);
  const iterations = rounds ? numberOf(bytes, rounds) : 1;
  if (iterations < 1 || iterations > ITERATIONS_MAXIMUM) throw new Unreadable(`its seal wants ${iterations} rounds`);
  const wanted = bytes.subarray(digest.content, digest.end);
  const key = pkcs12Key({
    hash,
    password,
    salt: bytes.subarray(salt.content, salt.end),
    iterations,
    purpose: FOR_SEAL,
    length: wanted.length,
  });
  const seal = createHmac(hash, key).update(content).digest();
  return seal.length === wanted.length && timingSafeEqual(seal, wanted);
}

/** The octets of a ContentInfo of the kind data. */
function dataOf(bytes: Uint8Array, info: Element): Uint8Array {
  const [type, value] = children(bytes, info);
  if (!type || !value || oidOf(bytes, type) !== DATA)
    throw new Unreadable('it is sealed for a public key, not with a password');
  const octets = one(bytes, value.content, value.end);
  if (octets.tag !== 0x04) throw new Unreadable(`it is written in BER pieces; ${WRITE_ANEW}`);
  return bytes.subarray(octets.content, octets.end);
}

function friendlyName(bytes: Uint8Array, attributes: Element): string {
  for (const attribute of children(bytes, attributes)) {
    const [type, values] = children(bytes, attribute);
    if (!type || !values || oidOf(bytes, type) !== FRIENDLY_NAME) continue;
    const text = one(bytes, values.content, values.end);
    return Buffer.from(bytes.subarray(text.content, text.end - ((text.end - text.content) % 2)))
      .swap16()
      .toString('utf16le');
  }
  return '';
}

function certificateOf(der: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(new X509Certificate(der).raw);
  } catch {
    throw new Unreadable('a certificate in it is damaged');
  }
}

function pemOfKey(der: Uint8Array): string {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }).export({
      type: 'pkcs8',
      format: 'pem',
    }) as string;
  } catch {
    // No cause: a parser's error could quote a piece of the key.
    throw new Unreadable('a key in it is damaged, or of a kind that is not read');
  }
}

function numberOf(bytes: Uint8Array, { content, end }: Element): number {
  if (end - content > 5) return Number.POSITIVE_INFINITY;
  let value = 0;
  for (let at = content; at < end; at++) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

function one(bytes: Uint8Array, start: number, limit: number): Element {
  const element = elementAt(bytes, start, limit);
  if (!element) throw new Unreadable(`it is damaged, or written in BER with open lengths; ${WRITE_ANEW}`);
  return element;
}

function children(bytes: Uint8Array, parent: Element): Element[] {
  const found = CONTAINERS.has(parent.tag) ? childrenOf(bytes, parent) : undefined;
  if (!found) throw new Unreadable('it is damaged');
  return found;
}
