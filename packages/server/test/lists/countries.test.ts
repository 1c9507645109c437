import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress, parseListEntry } from '@sallyport/policy';
import fc from 'fast-check';
import { Reader } from 'maxmind';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../src/events/events.ts';
import { Countries } from '../../src/lists/countries.ts';
import { importTorCountries } from '../../src/lists/import-tor-countries.ts';
import { type CountryRange, writeCountryFile } from '../../src/lists/mmdb-writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-countries-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FOUR = '# a remark\n16777216,16777471,AU\n16777472,16778239,CN\n16778240,16779263,??\n';
const SIX = '# a remark\n2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,DE\n';
function tables(four = FOUR, six = SIX): void {
  writeFileSync(join(folder, 'geoip'), four);
  writeFileSync(join(folder, 'geoip6'), six);
}

function range(entry: string, country: string): CountryRange {
  const read = parseListEntry(entry);
  if (!read.ok || read.value.kind !== 'range') throw new Error(entry);
  return { ...read.value.range, country };
}

describe('a country file', () => {
  it('says of every address what the ranges say', () => {
    const bounds = fc.uniqueArray(fc.nat(0xffff_ffff), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(bounds, (numbers) => {
        const sorted = numbers.sort((a, b) => a - b);
        const ranges: CountryRange[] = [];
        for (let at = 0; at + 1 < sorted.length; at += 2) {
          const country = String.fromCharCode(65 + (at % 26), 65 + ((at * 7) % 26));
          ranges.push({ family: 4, from: BigInt(sorted[at] ?? 0), to: BigInt(sorted[at + 1] ?? 0), country });
        }
        const reader = new Reader(writeCountryFile(ranges, { type: 'Test', description: 'test', builtAt: 0 }));
        const text = (bits: number) => [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.');
        for (const number of sorted.flatMap((each) => [each - 1, each, each + 1])) {
          if (number < 0 || number > 0xffff_ffff) continue;
          const expected = ranges.find(({ from, to }) => from <= BigInt(number) && BigInt(number) <= to)?.country;
          const found = reader.get(text(number)) as { country?: { iso_code?: string } } | null;
          expect(found?.country?.iso_code).toBe(expected);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('holds IPv6 beside IPv4', () => {
    const ranges = [range('192.0.2.0/24', 'AU'), range('2001:db8::5-2001:db8::ff', 'DE')];
    const reader = new Reader(
      writeCountryFile(ranges, { type: 'Test', description: 'x'.repeat(200), builtAt: 86_400_000 }),
    );
    expect(reader.metadata).toMatchObject({ databaseType: 'Test', ipVersion: 6, description: { en: 'x'.repeat(200) } });
    expect(reader.get('2001:db8::4')).toBe(null);
    expect(reader.get('2001:db8::ff')).toEqual({ country: { iso_code: 'DE' } });
    expect(reader.get('192.0.2.255')).toEqual({ country: { iso_code: 'AU' } });
  });
});

describe('the import of Tor tables', () => {
  it('leaves out what has no country, and is read by the server', () => {
    tables();
    const file = join(folder, 'countries.mmdb');
    expect(importTorCountries(folder, file)).toMatchObject({ ranges: 3, countries: 3 });
    const countries = new Countries({ file, emit: () => {}, onChange: () => {} });
    const of = ['1.0.0.0', '1.0.0.255', '1.0.1.0', '1.0.4.0', '2001:db8::1', '2001:db9::1', 'nonsense'];
    expect(of.map((address) => countries.of(address))).toEqual([
      'AU',
      'AU',
      'CN',
      undefined,
      'DE',
      undefined,
      undefined,
    ]);
    countries.close();
  });

  it.each([
    ['text', 'this is no table\n'],
    ['a range that ends before it begins', '5,4,AU\n'],
    ['ranges that overlap', '1,9,AU\n5,20,CN\n'],
    ['a country of three letters', '1,9,AUS\n'],
    ['an address that is too large', '1,4294967296,AU\n'],
  ])('names the line of %s and writes nothing', (_, four) => {
    tables(four);
    const file = join(folder, 'countries.mmdb');
    expect(() => importTorCountries(folder, file)).toThrow(/geoip, line \d+/);
    expect(existsSync(file)).toBe(false);
  });

  it('says what to install where there are none', () => {
    expect(() => importTorCountries(folder, join(folder, 'x'))).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it.skipIf(!existsSync('/usr/share/tor/geoip'))('says of real tables what they say', { timeout: 240_000 }, () => {
    const file = join(folder, 'countries.mmdb');
    importTorCountries('/usr/share/tor', file);
    const reader = new Reader(readFileSync(file));
    const lines = readFileSync('/usr/share/tor/geoip6', 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    for (let at = 0; at < lines.length; at += 97) {
      const [from = '', to = '', country = ''] = (lines[at] ?? '').split(',');
      if (parseAddress(from)?.family !== 6) continue;
      for (const address of [from, to]) {
        const found = reader.get(address) as { country?: { iso_code?: string } } | null;
        expect(found?.country?.iso_code ?? '??').toBe(country);
      }
    }
  });
});

describe('the countries of a server', () => {
  it('are those of a new file within moments, and of the old one while the new one is damaged', async () => {
    const file = join(folder, 'countries.mmdb');
    const events: ServerEvent[] = [];
    let changes = 0;
    const countries = new Countries({
      file,
      emit: (event) => events.push(event),
      onChange: () => changes++,
      every: 20,
    });
    const write = (country: string) =>
      writeFileSync(
        file,
        writeCountryFile([range('192.0.2.0/24', country)], { type: 'T', description: '', builtAt: 0 }),
      );
    expect(countries.of('192.0.2.1')).toBe(undefined);
    expect(countries.describe()).toBe(undefined);
    write('AU');
    await expect.poll(() => countries.of('192.0.2.1'), { timeout: 15_000 }).toBe('AU');
    writeFileSync(file, 'damaged beyond repair');
    await expect.poll(() => events.at(-1)?.type, { timeout: 15_000 }).toBe('country-file.failed');
    expect(countries.of('192.0.2.1')).toBe('AU');
    write('DE');
    await expect.poll(() => countries.of('192.0.2.1'), { timeout: 15_000 }).toBe('DE');
    expect(changes).toBe(2);
    countries.close();
  });
});
