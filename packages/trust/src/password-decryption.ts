import { createDecipheriv, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { childrenOf, type Element, elementAt } from './der-reader.ts';
import { pkcs12Key } from './pkcs12-key.ts';

/** What is wrong with a key store, in words that name no piece of it. */
export class Unreadable extends Error {}

/** More rounds than any program writes; a file of a stranger must not make them endless. */
export const ITERATIONS_MAXIMUM = 10_000_000;

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const TRIPLE_DES = '1.2.840.113549.1.12.1.3';
const FOR_KEY = 1;
const FOR_IV = 2;

const HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly key: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', key: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', key: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', key: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', key: 24 },
};

/**
 * Opens what was encrypted with a password: PBES2 (RFC 8018) with AES or triple DES, or triple DES in the older way of PKCS#12.
 *
 * @throws Unreadable if it is of another kind, damaged, or under another password
 */
export async function decryptWithPassword(
  algorithm: Uint8Array,
  ciphertext: Uint8Array,
  password: string,
): Promise<Buffer> {
  const [oid, parameters] = parts(algorithm, whole(algorithm));
  const kind = oid && oidOf(algorithm, oid);
  if (!parameters) throw new Unreadable('its encryption is described in a way that is damaged');
  if (kind === PBES2) {
    const { name, key, iv } = await pbes2(algorithm, parameters, password);
    return opened(name, key, iv, ciphertext);
  }
  if (kind === TRIPLE_DES) {
    const [salt, rounds] = parts(algorithm, parameters);
    if (!salt || !rounds) throw new Unreadable('its encryption is described in a way that is damaged');
    const made = { hash: 'sha1', password, salt: contentOf(algorithm, salt), iterations: roundsOf(algorithm, rounds) };
    const key = pkcs12Key({ ...made, purpose: FOR_KEY, length: 24 });
    return opened('des-ede3-cbc', key, pkcs12Key({ ...made, purpose: FOR_IV, length: 8 }), ciphertext);
  }
  throw new Unreadable(
    `it is encrypted in a way that is not read (${kind}), for example 40-bit RC2; write it anew with \`openssl pkcs12 -legacy -in FILE -nodes | openssl pkcs12 -export -out NEW\``,
  );
}

async function pbes2(der: Uint8Array, parameters: Element, password: string) {
  const [derivation, encryption] = parts(der, parameters);
  const [kdf, kdfParameters] = derivation ? parts(der, derivation) : [];
  const [cipherOid, iv] = encryption ? parts(der, encryption) : [];
  const [salt, rounds, ...more] = kdfParameters ? parts(der, kdfParameters) : [];
  if (!kdf || !salt || !rounds || !cipherOid || !iv)
    throw new Unreadable('its encryption is described in a way that is damaged');
  const prf = more.find(({ tag }) => tag === 0x30);
  const [prfOid] = prf ? parts(der, prf) : [];
  const hash = prfOid ? HASHES[oidOf(der, prfOid)] : 'sha1';
  const cipher = CIPHERS[oidOf(der, cipherOid)];
  if (oidOf(der, kdf) !== PBKDF2 || hash === undefined || !cipher)
    throw new Unreadable('it is encrypted in a way that is not read: PBES2 with PBKDF2 and AES is');
  const iterations = roundsOf(der, rounds);
  const key = await promisify(pbkdf2)(password, contentOf(der, salt), iterations, cipher.key, hash);
  return { name: cipher.name, key, iv: contentOf(der, iv) };
}

function opened(cipher: string, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Buffer {
  try {
    const decipher = createDecipheriv(cipher, key, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    throw new Unreadable('the password is wrong, or the file is damaged');
  }
}

function roundsOf(der: Uint8Array, { content, end }: Element): number {
  let rounds = 0;
  for (let at = content; at < Math.min(end, content + 6); at++) rounds = rounds * 256 + (der[at] ?? 0);
  if (rounds < 1 || rounds > ITERATIONS_MAXIMUM) throw new Unreadable(`it wants ${rounds} rounds over the password`);
  return rounds;
}

/** The dotted form. */
export function oidOf(der: Uint8Array, { content, end }: Element): string {
  const arcs: number[] = [];
  let value = 0;
  for (let at = content; at < end; at++) {
    const byte = der[at] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0)
      arcs.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    else arcs.push(value);
    value = 0;
  }
  return arcs.join('.');
}

function contentOf(der: Uint8Array, { content, end }: Element): Uint8Array {
  return der.subarray(content, end);
}

function whole(der: Uint8Array): Element {
  const element = elementAt(der, 0, der.length);
  if (!element) throw new Unreadable('its encryption is described in a way that is damaged');
  return element;
}

function parts(der: Uint8Array, parent: Element): Element[] {
  const found = childrenOf(der, parent);
  if (!found) throw new Unreadable('its encryption is described in a way that is damaged');
  return found;
}
