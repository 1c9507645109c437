import { AddressIndex, addressText, type IndexedRange } from '@sallyport/policy';

/** Nanoseconds of processor time for one address that is put to a list. */
export interface ListsResult {
  readonly entries: number;
  /** Milliseconds to make a list of so many entries ready. */
  readonly ready: number;
  readonly rows: readonly { readonly addresses: string; readonly nanoseconds: number; readonly found: number }[];
}

const ASKED = 4096;
const ROUNDS = 9;

/** Puts addresses to a list of so many entries: half single addresses and half networks, a third of them IPv6. */
export function benchLists(entries: number): ListsResult {
  const ranges: IndexedRange[] = [];
  for (let number = 0; number < entries; number++) {
    const six = number % 3 === 0;
    const width = six ? 128n : 32n;
    const open = number % 2 === 0 ? 0n : six ? 64n : 8n;
    const from = (random(width) >> open) << open;
    ranges.push({ family: six ? 6 : 4, from, to: from + (1n << open) - 1n, ends: Number.POSITIVE_INFINITY });
  }
  const began = performance.now();
  const index = new AddressIndex(ranges);
  const ready = performance.now() - began;
  const texts = (family: 4 | 6) =>
    Array.from({ length: ASKED }, () => addressText(family, random(family === 4 ? 32n : 128n)));
  const listed = Array.from({ length: ASKED }, (_, at) => ranges[(at * 7919) % entries]).flatMap((range) =>
    range === undefined ? [] : [addressText(range.family, range.from)],
  );
  const rows = [
    { addresses: 'IPv4, on no list', asked: texts(4) },
    { addresses: 'IPv6, on no list', asked: texts(6) },
    { addresses: 'on the list', asked: listed },
  ].map(({ addresses, asked }) => ({ addresses, ...measure(index, asked) }));
  return { entries, ready, rows };
}

function measure(index: AddressIndex, asked: readonly string[]) {
  let found = 0;
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    const began = performance.now();
    let questions = 0;
    found = 0;
    while (performance.now() - began < 100) {
      for (const address of asked) if (index.find(address) >= 0) found++;
      questions += asked.length;
    }
    const { user, system } = process.cpuUsage(before);
    times.push(((user + system) * 1000) / questions);
    found = Math.round((found * asked.length) / questions);
  }
  return { nanoseconds: times.sort((a, b) => a - b)[times.length >> 1] ?? 0, found };
}

function random(bits: bigint): bigint {
  let value = 0n;
  for (let have = 0n; have < bits; have += 16n) value = (value << 16n) | BigInt(Math.floor(Math.random() * 65_536));
  return value & ((1n << bits) - 1n);
}
