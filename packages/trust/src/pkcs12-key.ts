import { createHash } from 'node:crypto';

/** Bytes of a block of the hash. */
const BLOCKS: Readonly<Record<string, number>> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/**
 * Bytes made from a password as RFC 7292 appendix B.2 does it: `purpose` 1 for a key, 2 for an initialisation vector, 3 for a seal. The
 * hash is `sha1`, `sha256`, `sha384` or `sha512`.
 */
export function pkcs12Key(options: {
  readonly hash: string;
  readonly password: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly purpose: 1 | 2 | 3;
  readonly length: number;
}): Buffer {
  const { hash, password, salt, iterations, purpose, length } = options;
  const block = BLOCKS[hash];
  if (block === undefined) throw new TypeError(`no block size of ${hash} is known`);
  const diversifier = new Uint8Array(block).fill(purpose);
  let input = Buffer.concat([repeated(salt, block), repeated(utf16(`${password}\0`), block)]);
  const made: Buffer[] = [];
  for (let size = 0; size < length; size += made.at(-1)?.length ?? length) {
    let key = createHash(hash).update(diversifier).update(input).digest();
    for (let turn = 1; turn < iterations; turn++) key = createHash(hash).update(key).digest();
    made.push(key);
    const next = Buffer.from(repeated(key, block).subarray(0, block));
    input = Buffer.from(input);
    for (let at = 0; at < input.length; at += block) addOne(input.subarray(at, at + block), next);
  }
  return Buffer.concat(made).subarray(0, length);
}

/** Adds the other number and one, modulo 2 to the power of its bits. */
function addOne(number: Buffer, other: Buffer): void {
  let carry = 1;
  for (let at = number.length - 1; at >= 0; at--) {
    const sum = (number[at] ?? 0) + (other[at] ?? 0) + carry;
    number[at] = sum & 0xff;
    carry = sum >> 8;
  }
}

/** Whole blocks filled with copies of the bytes. */
function repeated(bytes: Uint8Array, block: number): Uint8Array {
  const filled = new Uint8Array(Math.ceil(bytes.length / block) * block);
  for (let at = 0; at < filled.length; at++) filled[at] = bytes[at % bytes.length] ?? 0;
  return filled;
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}
