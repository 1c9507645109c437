import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { parseAddress } from '@sallyport/policy';
import { type CountryRange, writeCountryFile } from './mmdb-writer.ts';

export interface ImportedCountries {
  readonly file: string;
  readonly ranges: number;
  readonly countries: number;
  /** Of the file that was written. */
  readonly bytes: number;
}

/**
 * Makes a country file of the tables that Tor uses: `geoip` and `geoip6` of a folder (Debian's package tor-geoipdb). The new file
 * takes the place of the old one in one step. Throws `not_found` for tables that are not there, `invalid_request` for other files.
 */
export function importTorCountries(folder: string, file: string, now: () => number = Date.now): ImportedCountries {
  const countries = new Set<string>();
  const ranges = [...readTable(join(folder, 'geoip'), 4), ...readTable(join(folder, 'geoip6'), 6)];
  for (const { country } of ranges) countries.add(country);
  const bytes = writeCountryFile(ranges, {
    type: 'Sallyport-Country',
    description: `Countries of addresses, from the tables geoip and geoip6 in ${folder}`,
    builtAt: now(),
  });
  const fresh = `${file}.new`;
  writeFileSync(fresh, bytes, { mode: 0o644 });
  renameSync(fresh, file);
  return { file, ranges: ranges.length, countries: countries.size, bytes: bytes.length };
}

function* readTable(path: string, family: 4 | 6): Generator<CountryRange> {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (cause) {
    throw new Failure('not_found', `The table ${path} cannot be read.`, {
      cause,
      cure: 'Install the package tor-geoipdb, or name the folder that holds geoip and geoip6.',
    });
  }
  let number = 0;
  let last = -1n;
  for (const line of text.split('\n')) {
    number++;
    if (line === '' || line.startsWith('#')) continue;
    const [first = '', end = '', country = ''] = line.split(',');
    const from = bitsOf(first, family);
    const to = bitsOf(end, family);
    if (from === undefined || to === undefined || to < from || from <= last || !/^([A-Z]{2}|\?\?)$/.test(country)) {
      throw new Failure('invalid_request', `${path}, line ${number}: this is no line of a table of countries.`, {
        cure: 'Name the folder that holds geoip and geoip6 of the package tor-geoipdb.',
      });
    }
    last = to;
    if (country !== '??') yield { family, from, to, country };
  }
}

/** IPv4 addresses are written there as numbers. */
function bitsOf(text: string, family: 4 | 6): bigint | undefined {
  if (family === 4) return /^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff ? BigInt(text) : undefined;
  const address = parseAddress(text);
  return address?.family === 6 ? address.bits : undefined;
}
