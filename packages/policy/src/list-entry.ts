import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { parseAddress, parseAddressBlock } from './address.ts';
import type { AddressRange } from './address-index.ts';

/** What a list of addresses can name. `text` is the one form in which it is kept and shown. */
export type ListEntry =
  | { readonly kind: 'country'; readonly text: string }
  | { readonly kind: 'range'; readonly text: string; readonly range: AddressRange };

const LONGEST = 100;

/**
 * Reads an entry: an address (`192.0.2.7`, `2001:db8::7`), a network (`192.0.2.0/24`), a range (`192.0.2.7-192.0.2.20`) or a country
 * by its two letters (ISO 3166-1: `DE`). IPv4 inside IPv6 (`::ffff:192.0.2.7`) is IPv4.
 */
export function parseListEntry(given: string): Parsed<ListEntry> {
  const text = given.trim();
  if (text.length > LONGEST) return unparsed(`an entry has at most ${LONGEST} characters`);
  if (/^[A-Za-z]{2}$/.test(text)) return parsed({ kind: 'country', text: text.toUpperCase() });
  const dash = text.indexOf('-');
  if (dash >= 0) return parseRange(text.slice(0, dash).trim(), text.slice(dash + 1).trim(), dash);
  const block = parseAddressBlock(text);
  if (!block.ok) {
    const letters = /^[A-Za-z]+$/.test(text) ? '; a country is written with its two letters, such as DE' : '';
    return unparsed(`${block.problem}${letters}`, block.position);
  }
  const { family, bits, prefix } = block.value;
  const width = widthOf(family);
  const range = { family, from: bits, to: bits + (1n << BigInt(width - prefix)) - 1n };
  const host = addressText(family, bits);
  return parsed({ kind: 'range', text: prefix === width ? host : `${host}/${prefix}`, range });
}

function parseRange(first: string, last: string, dash: number): Parsed<ListEntry> {
  const from = first.includes('%') ? undefined : parseAddress(first);
  const to = last.includes('%') ? undefined : parseAddress(last);
  if (!from) return unparsed(`"${first}" is no address that a range could begin with`);
  if (!to) return unparsed(`"${last}" is no address that a range could end with`, dash + 1);
  if (from.family !== to.family) return unparsed('a range begins and ends with addresses of the same kind', dash + 1);
  if (to.bits < from.bits) return unparsed('the range ends before it begins', dash + 1);
  const { family } = from;
  const ends = [addressText(family, from.bits), addressText(family, to.bits)] as const;
  const range = { family, from: from.bits, to: to.bits };
  return parsed({ kind: 'range', text: ends[0] === ends[1] ? ends[0] : ends.join('-'), range });
}

function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** The written form of an address; IPv6 as RFC 5952 asks: lower case, the longest run of zeros left out. */
export function addressText(family: 4 | 6, bits: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => Number((bits >> shift) & 0xffn)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(112 - 16 * index)) & 0xffffn));
  const run = longestRunOfZeros(groups);
  const words = groups.map((group) => group.toString(16));
  if (run.length < 2) return words.join(':');
  return `${words.slice(0, run.start).join(':')}::${words.slice(run.start + run.length).join(':')}`;
}

function longestRunOfZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
