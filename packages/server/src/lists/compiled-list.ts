import { AddressIndex, type IndexedRange, parseListEntry } from '@sallyport/policy';

/** An entry as the list needs it. Times are milliseconds since the epoch. */
export interface HeldEntry {
  readonly entry: string;
  readonly note?: string;
  readonly expiresAt?: number;
}

/** One list in memory. Made ready for questions at the first one after a change. */
export class CompiledList {
  readonly #entries = new Map<string, HeldEntry>();
  #ready: { readonly index: AddressIndex; readonly ranges: readonly HeldEntry[] } | undefined;
  #countries = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Whether it names any country. */
  get namesCountries(): boolean {
    return this.#countries > 0;
  }

  has(entry: string): boolean {
    return this.#entries.has(entry);
  }

  entries(): IterableIterator<HeldEntry> {
    return this.#entries.values();
  }

  put(held: HeldEntry): void {
    if (isCountry(held.entry) && !this.#entries.has(held.entry)) this.#countries++;
    this.#entries.set(held.entry, held);
    this.#ready = undefined;
  }

  remove(entry: string): void {
    if (this.#entries.delete(entry) && isCountry(entry)) this.#countries--;
    this.#ready = undefined;
  }

  /** A copy that can be changed without changing this one. */
  copy(): CompiledList {
    const copy = new CompiledList();
    for (const held of this.#entries.values()) copy.put(held);
    return copy;
  }

  /** The entry that an address lies in, if one holds at the moment. */
  findAddress(address: string, now: number): HeldEntry | undefined {
    const { index, ranges } = this.#prepared();
    return holding(ranges[index.find(address)], now);
  }

  findCountry(country: string, now: number): HeldEntry | undefined {
    return holding(this.#entries.get(country), now);
  }

  /** Whether any entry holds at the moment. */
  holdsAny(now: number): boolean {
    for (const held of this.#entries.values()) if (holding(held, now)) return true;
    return false;
  }

  /** When the next entry ends; undefined if none does. */
  nextEnd(now: number): number | undefined {
    let next: number | undefined;
    for (const { expiresAt } of this.#entries.values()) {
      if (expiresAt !== undefined && expiresAt > now && expiresAt < (next ?? Number.POSITIVE_INFINITY))
        next = expiresAt;
    }
    return next;
  }

  #prepared() {
    if (this.#ready) return this.#ready;
    const held: HeldEntry[] = [];
    const ranges: IndexedRange[] = [];
    for (const each of this.#entries.values()) {
      const read = parseListEntry(each.entry);
      if (!read.ok || read.value.kind !== 'range') continue;
      held.push(each);
      ranges.push({ ...read.value.range, ends: each.expiresAt ?? Number.POSITIVE_INFINITY });
    }
    this.#ready = { index: new AddressIndex(ranges), ranges: held };
    return this.#ready;
  }
}

function holding(held: HeldEntry | undefined, now: number): HeldEntry | undefined {
  return held === undefined || (held.expiresAt ?? Number.POSITIVE_INFINITY) <= now ? undefined : held;
}

function isCountry(entry: string): boolean {
  return entry.length === 2 && /^[A-Z]{2}$/.test(entry);
}
