import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { Reader, type Response } from 'maxmind';
import type { ServerEvent } from '../events/events.ts';

export interface CountriesOptions {
  /** Path of a file in the MaxMind DB format. */
  readonly file: string;
  readonly emit: (event: ServerEvent) => void;
  /** Told after another file has taken the place of the one before. */
  readonly onChange: () => void;
  /** Milliseconds between two looks at the file; 5 s if left out. */
  readonly every?: number;
}

/** What is known of the country file that is in use. */
export interface CountryFile {
  readonly file: string;
  readonly type: string;
  readonly builtAt: string;
}

interface CountryRecord {
  readonly country?: { readonly iso_code?: string };
  readonly registered_country?: { readonly iso_code?: string };
}

const LOOK_EVERY = 5_000;
const LARGEST = 512 * 1024 * 1024;

/**
 * Says in which country an address is, by a file that the operator puts there. A new file is taken within seconds; one that cannot be
 * read leaves the old one in use, and is told as `country-file.failed`. Without a file no country is known.
 */
export class Countries {
  readonly #options: CountriesOptions;
  readonly #timer: NodeJS.Timeout;
  #reader: Reader<Response> | undefined;
  #seen = '';

  constructor(options: CountriesOptions) {
    this.#options = options;
    this.look();
    this.#timer = setInterval(() => {
      if (this.look()) options.onChange();
    }, options.every ?? LOOK_EVERY);
    this.#timer.unref();
  }

  /** Two letters; undefined if the country is not known. */
  of(address: string): string | undefined {
    if (this.#reader === undefined || isIP(address) === 0) return undefined;
    const found = this.#reader.get(address) as CountryRecord | null;
    return found?.country?.iso_code ?? found?.registered_country?.iso_code;
  }

  describe(): CountryFile | undefined {
    if (this.#reader === undefined) return undefined;
    const { databaseType, buildEpoch } = this.#reader.metadata;
    return { file: this.#options.file, type: databaseType, builtAt: buildEpoch.toISOString() };
  }

  /** Takes the file if it is another one than before; true if it was taken. */
  look(): boolean {
    const { file, emit } = this.#options;
    const seen = fingerprint(file);
    if (seen === this.#seen) return false;
    this.#seen = seen;
    if (seen === '') {
      if (this.#reader === undefined) return false;
      emit({
        type: 'country-file.failed',
        file,
        problem: 'The file is gone; what it said is used until the server stops.',
      });
      return false;
    }
    try {
      const reader = new Reader<Response>(readFileSync(file));
      // A file that is cut short is noticed by a question and not by opening it.
      reader.get('192.0.2.1');
      reader.get('2001:db8::1');
      this.#reader = reader;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      emit({ type: 'country-file.failed', file, problem });
      return false;
    }
    const { databaseType, buildEpoch } = this.#reader.metadata;
    emit({ type: 'country-file.loaded', file, database: databaseType, builtAt: buildEpoch.toISOString() });
    return true;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Empty if the file is not there. */
function fingerprint(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return size > LARGEST ? '' : `${mtimeMs} ${size} ${ino}`;
  } catch {
    return '';
  }
}
