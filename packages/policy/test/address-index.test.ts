import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/address.ts';
import { AddressIndex, type IndexedRange } from '../src/address-index.ts';
import { addressText, parseListEntry } from '../src/list-entry.ts';
import { type NumericAddress, readNumericAddress } from '../src/numeric-address.ts';

const FOREVER = Number.POSITIVE_INFINITY;

/** Few addresses close together, so that ranges meet, overlap and contain each other; and the ends of the whole space. */
const position = (family: 4 | 6) => {
  const top = (1n << (family === 4 ? 32n : 128n)) - 1n;
  return fc.oneof(
    fc.bigInt({ min: 0n, max: 40n }),
    fc.bigInt({ min: top - 20n, max: top }),
    fc.bigInt({ min: 0n, max: top }),
    fc.bigInt({ min: 0n, max: 3n }).map((steps) => (steps << 80n) & top),
  );
};
const range = fc.constantFrom(4 as const, 6 as const).chain((family) =>
  fc.tuple(position(family), position(family), fc.constantFrom(5, 10, FOREVER)).map(([a, b, ends]): IndexedRange => {
    const [from, to] = a < b ? [a, b] : [b, a];
    return { family, from, to, ends };
  }),
);

function naive(ranges: readonly IndexedRange[], family: 4 | 6, bits: bigint, now: number): boolean {
  return ranges.some((each) => each.family === family && each.from <= bits && bits <= each.to && each.ends > now);
}

describe('an index of address ranges', () => {
  it('answers as looking at every range does, at every moment', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), fc.constantFrom(0, 7, 20), (ranges, now) => {
        const index = new AddressIndex(ranges);
        const asked = ranges.flatMap(({ family, from, to }) =>
          [from - 1n, from, to, to + 1n]
            .filter((bits) => bits >= 0n && bits < 1n << (family === 4 ? 32n : 128n))
            .map((bits) => ({ family, bits })),
        );
        for (const { family, bits } of asked) {
          // The text of such an address means an IPv4 address.
          if (family === 6 && bits >> 32n === 0xffffn) continue;
          const found = index.find(addressText(family, bits));
          expect(found >= 0 && (ranges[found]?.ends ?? 0) > now).toBe(naive(ranges, family, bits, now));
        }
      }),
      { numRuns: 600 },
    );
  });

  it('finds the smallest of the ranges that hold equally long', () => {
    const entries = ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '0.0.0.0/0'];
    const index = new AddressIndex(
      entries.map((text) => {
        const entry = parseListEntry(text);
        if (!entry.ok || entry.value.kind !== 'range') throw new Error(text);
        return { ...entry.value.range, ends: FOREVER };
      }),
    );
    const found = (address: string) => entries[index.find(address)];
    expect(['10.1.2.3', '10.1.2.4', '10.2.0.1', '::ffff:10.1.2.3', '192.0.2.1'].map(found)).toEqual([
      '10.1.2.3',
      '10.1.0.0/16',
      '10.0.0.0/8',
      '10.1.2.3',
      '0.0.0.0/0',
    ]);
    expect(index.find('2001:db8::1')).toBe(-1);
    expect(index.find('no address')).toBe(-1);
  });

  it('covers nothing when it is empty', () => {
    expect(new AddressIndex([]).find('10.0.0.1')).toBe(-1);
  });
});

describe('the fast reader of addresses', () => {
  const piece = fc.constantFrom(
    '0',
    '1',
    '255',
    '256',
    '01',
    'ffff',
    'A',
    ':',
    '::',
    '.',
    '%',
    'g',
    '-',
    'fe80',
    '12345',
  );
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(piece, { maxLength: 16 }).map((parts) => parts.join('')),
  );

  it('reads what the other reader reads, and nothing else', () => {
    fc.assert(
      fc.property(address, (text) => {
        const numbers: NumericAddress = { family: 4, high: 0, middle: 0, low: 0 };
        const read = readNumericAddress(text, numbers);
        const expected = parseAddress(text);
        expect(read).toBe(expected !== undefined);
        if (!expected) return;
        const { family, high, middle, low } = numbers;
        const bits = (BigInt(high) << 80n) | (BigInt(middle) << 32n) | BigInt(low);
        expect({ family, bits }).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
  });
});
