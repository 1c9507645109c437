import { type Parsed, parsed, unparsed } from '@sallyport/model';

/** A set of addresses: all that share the first `prefix` bits. IPv4 written inside IPv6 (`::ffff:10.0.0.1`) is IPv4. */
export interface AddressBlock {
  readonly text: string;
  readonly family: 4 | 6;
  readonly bits: bigint;
  readonly prefix: number;
}

/** An address of a peer, read once and compared often. */
export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

const MAPPED = 0xffffn << 32n;

/** Reads an address, or nothing if the text is none. A zone (`fe80::1%eth0`) is left out. */
export function parseAddress(text: string): Address | undefined {
  const zone = text.indexOf('%');
  const plain = zone < 0 ? text : text.slice(0, zone);
  if (!plain.includes(':')) {
    const bits = parseIpv4(plain);
    return bits === undefined ? undefined : { family: 4, bits };
  }
  const bits = parseIpv6(plain);
  if (bits === undefined) return undefined;
  return bits >> 32n === 0xffffn ? { family: 4, bits: bits - MAPPED } : { family: 6, bits };
}

/** Reads an address or a CIDR block; host bits behind the prefix must be zero, so that the text says what is meant. */
export function parseAddressBlock(text: string): Parsed<AddressBlock> {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = host.includes('%') ? undefined : parseAddress(host);
  if (!address) return unparsed(`"${text}" is neither an IPv4 nor an IPv6 address or CIDR block`);
  const width = address.family === 4 ? 32 : 128;
  if (slash < 0) return parsed({ text, ...address, prefix: width });

  const digits = text.slice(slash + 1);
  // A mapped block counts its prefix from the front of the IPv6 form.
  const offset = address.family === 4 && host.includes(':') ? 96 : 0;
  const prefix = /^(0|[1-9][0-9]{0,2})$/.test(digits) ? Number(digits) - offset : -1;
  if (prefix < 0 || prefix > width) {
    return unparsed(`"${digits}" is no prefix length from ${offset} to ${width + offset}`, slash + 1);
  }
  if ((address.bits & ((1n << BigInt(width - prefix)) - 1n)) !== 0n) {
    return unparsed(`"${text}" has bits set behind its prefix`, slash + 1);
  }
  return parsed({ text, ...address, prefix });
}

/** Whether an address lies in a block. */
export function blockContains(block: AddressBlock, address: Address): boolean {
  if (block.family !== address.family) return false;
  const open = BigInt((block.family === 4 ? 32 : 128) - block.prefix);
  return address.bits >> open === block.bits >> open;
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0;
  for (const part of parts) {
    // A leading zero is octal to some readers and decimal to others.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = bits * 256 + Number(part);
  }
  return BigInt(bits);
}

function parseIpv6(text: string): bigint | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const tail = last && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (tail === undefined) return undefined;
      groups.push(Number(tail >> 16n), Number(tail & 0xffffn));
    } else {
      if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}
