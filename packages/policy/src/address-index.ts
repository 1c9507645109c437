import { type NumericAddress, readNumericAddress } from './numeric-address.ts';

/** All addresses from `from` to `to`, both included. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly from: bigint;
  readonly to: bigint;
}

export interface IndexedRange extends AddressRange {
  /** Until when it holds; Infinity: for ever. Any unit, so long as all have the same. */
  readonly ends: number;
}

/** Nothing covers the address. */
const NONE = -1;
const LOW_BITS = 32n;
const MIDDLE_BITS = 48n;

/**
 * Finds the range that an address lies in, among very many: a search over sorted bounds, without a call or an object for each step.
 * Ranges may overlap; where they do, the one that holds longest is found, and of those that hold equally long the smallest.
 * So an answer is right at every moment: where the range that is found has ended, every other one there has too.
 */
export class AddressIndex {
  readonly #four: Segments;
  readonly #six: Segments;
  readonly #address: NumericAddress = { family: 4, high: 0, middle: 0, low: 0 };

  constructor(ranges: readonly IndexedRange[]) {
    this.#four = segmentsOf(ranges, 4);
    this.#six = segmentsOf(ranges, 6);
  }

  /** Number of the range in the list that the index was made of; -1 for an address that none covers, and for a text that is no address. */
  find(address: string): number {
    if (!readNumericAddress(address, this.#address)) return NONE;
    return search(this.#address.family === 4 ? this.#four : this.#six, this.#address);
  }
}

/** Where each stretch begins, and which range covers it until the next one begins. */
interface Segments {
  readonly high: Float64Array;
  readonly middle: Float64Array;
  readonly low: Float64Array;
  readonly covers: Int32Array;
}

function search({ high, middle, low, covers }: Segments, wanted: NumericAddress): number {
  let from = 0;
  let to = covers.length;
  while (from < to) {
    const at = (from + to) >>> 1;
    const byHigh = (high[at] ?? 0) - wanted.high;
    const byMiddle = byHigh === 0 ? (middle[at] ?? 0) - wanted.middle : byHigh;
    const by = byMiddle === 0 ? (low[at] ?? 0) - wanted.low : byMiddle;
    if (by <= 0) from = at + 1;
    else to = at;
  }
  return from === 0 ? NONE : (covers[from - 1] ?? NONE);
}

function segmentsOf(ranges: readonly IndexedRange[], family: 4 | 6): Segments {
  const numbers: number[] = [];
  for (const [number, range] of ranges.entries()) if (range.family === family) numbers.push(number);
  const rangeOf = (number: number) => ranges[number] as IndexedRange;
  numbers.sort((one, other) => compare(rangeOf(one).from, rangeOf(other).from));
  const stronger = (one: number, other: number): boolean => {
    const [a, b] = [rangeOf(one), rangeOf(other)];
    if (a.ends !== b.ends) return a.ends > b.ends;
    return a.to - a.from < b.to - b.from;
  };

  const open = new Heap(stronger);
  const starts: bigint[] = [];
  const covers: number[] = [];
  const begin = (position: bigint, number: number): void => {
    if (covers.at(-1) === number || (covers.length === 0 && number === NONE)) return;
    if (starts.at(-1) === position) {
      starts.pop();
      covers.pop();
      begin(position, number);
      return;
    }
    starts.push(position);
    covers.push(number);
  };
  /** Lets go of what has ended before `position`; what comes to light below it covers from where it was uncovered. */
  const endBefore = (position: bigint): void => {
    for (let top = open.top; top !== undefined && rangeOf(top).to < position; top = open.top) {
      const next = rangeOf(top).to + 1n;
      open.pop();
      while (open.top !== undefined && rangeOf(open.top).to < next) open.pop();
      begin(next, open.top ?? NONE);
    }
  };
  for (const number of numbers) {
    const { from } = rangeOf(number);
    endBefore(from);
    open.push(number);
    begin(from, open.top ?? NONE);
  }
  endBefore(1n << 129n);
  return planes(starts, covers);
}

function planes(starts: readonly bigint[], covers: readonly number[]): Segments {
  const high = new Float64Array(starts.length);
  const middle = new Float64Array(starts.length);
  const low = new Float64Array(starts.length);
  for (const [index, start] of starts.entries()) {
    high[index] = Number(start >> (LOW_BITS + MIDDLE_BITS));
    middle[index] = Number((start >> LOW_BITS) & 0xffff_ffff_ffffn);
    low[index] = Number(start & 0xffff_ffffn);
  }
  return { high, middle, low, covers: Int32Array.from(covers) };
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A binary heap: the strongest is on top. */
class Heap {
  readonly #stronger: (one: number, other: number) => boolean;
  readonly #items: number[] = [];

  constructor(stronger: (one: number, other: number) => boolean) {
    this.#stronger = stronger;
  }

  get top(): number | undefined {
    return this.#items[0];
  }

  push(item: number): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#stronger(item, items[above] as number)) break;
      items[at] = items[above] as number;
      at = above;
    }
    items[at] = item;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && this.#stronger(items[below + 1] as number, items[below] as number)) below++;
      if (!this.#stronger(items[below] as number, last)) break;
      items[at] = items[below] as number;
      at = below;
    }
    items[at] = last;
  }
}
