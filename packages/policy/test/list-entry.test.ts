import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/address.ts';
import { addressText, parseListEntry } from '../src/list-entry.ts';

describe('an entry of a list', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['192.0.2.7-192.0.2.20', '192.0.2.7-192.0.2.20'],
    [' 192.0.2.7 - 192.0.2.7 ', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:db8::1-2001:db8::ff', '2001:db8::1-2001:db8::ff'],
    ['::/0', '::/0'],
    ['de', 'DE'],
  ])('%s is kept as %s', (given, kept) => {
    expect(parseListEntry(given)).toMatchObject({ ok: true, value: { text: kept } });
  });

  it.each([
    '',
    '192.0.2.7/24',
    '192.0.2.256',
    '010.0.0.1',
    '192.0.2.20-192.0.2.7',
    '192.0.2.7-2001:db8::1',
    '192.0.2.7-',
    'Germany',
    'D1',
    'fe80::1%eth0',
    '192.0.2.0/33',
    'x'.repeat(200),
  ])('%s is none, and the answer says why', (given) => {
    const read = parseListEntry(given);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.problem.length).toBeGreaterThan(10);
  });

  it('has one written form for each address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text);
        if (!address) throw new Error(text);
        const written = addressText(address.family, address.bits);
        expect(parseAddress(written)).toEqual(address);
        expect(parseListEntry(text)).toMatchObject({ ok: true, value: { text: written } });
      }),
    );
  });
});
