import type { AddressRange } from '@sallyport/policy';

/** All addresses of a range are in this country. */
export interface CountryRange extends AddressRange {
  /** Two letters. */
  readonly country: string;
}

const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const DATA_SEPARATOR = 16;
const RECORD_BITS = 32;
const EMPTY = 0xffff_ffff;
/** A record that holds a country and not the number of a node. */
const LEAF = 0x8000_0000;
const IPV4_ABOVE = 96;

/**
 * Writes a country file in the MaxMind DB format, version 2.0. Ranges must not overlap. `builtAt` in milliseconds since the epoch.
 *
 * https://maxmind.github.io/MaxMind-DB/
 */
export function writeCountryFile(
  ranges: Iterable<CountryRange>,
  { type, description, builtAt }: { readonly type: string; readonly description: string; readonly builtAt: number },
): Buffer {
  const tree = new Tree();
  const countries: string[] = [];
  const numbers = new Map<string, number>();
  for (const range of ranges) {
    let number = numbers.get(range.country);
    if (number === undefined) {
      number = countries.push(range.country) - 1;
      numbers.set(range.country, number);
    }
    for (const [bits, prefix] of networksOf(range)) tree.put(bits, prefix, number);
  }
  const data: Buffer[] = [];
  const offsets: number[] = [];
  let size = 0;
  for (const country of countries) {
    const record = map({ country: map({ iso_code: text(country) }) });
    offsets.push(size);
    size += record.length;
    data.push(record);
  }
  const metadata = map({
    binary_format_major_version: integer(5, 2),
    binary_format_minor_version: integer(5, 0),
    build_epoch: integer(9, Math.floor(builtAt / 1000)),
    database_type: text(type),
    description: map({ en: text(description) }),
    ip_version: integer(5, 6),
    languages: control(11, 0),
    node_count: integer(6, tree.count),
    record_size: integer(5, RECORD_BITS),
  });
  return Buffer.concat([tree.bytes(offsets), Buffer.alloc(DATA_SEPARATOR), ...data, METADATA_MARKER, metadata]);
}

/** A binary tree over the 128 bits of addresses; IPv4 stands below `::/96`. */
class Tree {
  count = 1;
  #records = new Uint32Array(1 << 16).fill(EMPTY);

  put(bits: bigint, prefix: number, country: number): void {
    const words = [0, 0, 0, Number(bits & 0xffff_ffffn)];
    if (bits > 0xffff_ffffn) {
      words[0] = Number(bits >> 96n);
      words[1] = Number((bits >> 64n) & 0xffff_ffffn);
      words[2] = Number((bits >> 32n) & 0xffff_ffffn);
    }
    let node = 0;
    for (let depth = 0; depth < prefix; depth++) {
      const bit = ((words[depth >> 5] ?? 0) >>> (31 - (depth & 31))) & 1;
      const at = 2 * node + bit;
      if (depth === prefix - 1) {
        this.#records[at] = LEAF + country;
        return;
      }
      const next = this.#records[at] ?? EMPTY;
      node = next < LEAF ? next : this.#grow(at);
    }
  }

  #grow(at: number): number {
    const node = this.count++;
    if (2 * this.count > this.#records.length) {
      const larger = new Uint32Array(2 * this.#records.length).fill(EMPTY);
      larger.set(this.#records);
      this.#records = larger;
    }
    this.#records[at] = node;
    return node;
  }

  /** The search tree section: a record is a node, nothing (the number of nodes), or a place in the data section. */
  bytes(offsets: readonly number[]): Buffer {
    const bytes = Buffer.alloc(this.count * 8);
    for (let at = 0; at < 2 * this.count; at++) {
      const record = this.#records[at] ?? EMPTY;
      const value =
        record === EMPTY
          ? this.count
          : record < LEAF
            ? record
            : this.count + DATA_SEPARATOR + (offsets[record - LEAF] ?? 0);
      bytes.writeUInt32BE(value, at * 4);
    }
    return bytes;
  }
}

/** The fewest networks that make up a range, as the bits and prefix of IPv6. */
function* networksOf({ family, from, to }: AddressRange): Generator<readonly [bigint, number]> {
  const width = family === 4 ? 32 : 128;
  const above = family === 4 ? IPV4_ABOVE : 0;
  let start = from;
  while (start <= to) {
    // As large as the alignment of its beginning and what is left of the range allow.
    const aligned = start === 0n ? width : bitLength(start & -start) - 1;
    const open = Math.min(aligned, bitLength(to - start + 1n) - 1);
    yield [start, width - open + above];
    start += 1n << BigInt(open);
  }
}

function bitLength(value: bigint): number {
  if (value <= 0xffff_ffffn) return 32 - Math.clz32(Number(value));
  if (value <= 0xffff_ffff_ffff_ffffn) return 64 - Math.clz32(Number(value >> 32n));
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits.charAt(0), 16)) + 28;
}

function control(type: number, size: number): Buffer {
  return type > 7 ? Buffer.of(size, type - 7) : Buffer.of((type << 5) | size);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 29) return Buffer.concat([control(2, bytes.length), bytes]);
  // One more byte for the length: 29 to 284.
  const kept = bytes.subarray(0, 284);
  return Buffer.concat([control(2, 29), Buffer.of(kept.length - 29), kept]);
}

function integer(type: 5 | 6 | 9, value: number): Buffer {
  const digits = value.toString(16);
  const bytes =
    value === 0 ? Buffer.alloc(0) : Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([control(type, bytes.length), bytes]);
}

function map(entries: Readonly<Record<string, Buffer>>): Buffer {
  const pairs = Object.entries(entries);
  return Buffer.concat([control(7, pairs.length), ...pairs.flatMap(([key, value]) => [text(key), value])]);
}
