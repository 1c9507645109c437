import type { EventOf } from '../events/events.ts';
import { keep } from './keep.ts';
import type { Suspicion } from './suspicion.ts';

/** Where a device has been. */
export interface Place {
  readonly principal: string;
  /** Two letters each; the newest last. */
  readonly countries: readonly string[];
  /** When the first was seen. Milliseconds since the epoch. */
  readonly since: number;
}

/** What keeps it over a restart. */
export interface PlaceStore {
  load(): Promise<readonly Place[]>;
  save(place: Place): Promise<void>;
  remove(principal: string): Promise<void>;
}

export interface PlacesOptions {
  readonly store: PlaceStore;
  readonly countryOf: (address: string) => string | undefined;
  /** Milliseconds in which a device may be anywhere before a country can be new. */
  readonly learning: number;
  readonly onDefect: (problem: unknown) => void;
  readonly now: () => number;
}

/** Devices whose countries are known; who came longest ago goes first. */
const DEVICES = 100_000;
const COUNTRIES = 16;

/** Knows in which countries each device has proven who it is, and tells when it does so in another one. */
export class Places {
  readonly #options: PlacesOptions;
  readonly #places = new Map<string, Place>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    for (const place of await this.#options.store.load()) keep(this.#places, place.principal, place, DEVICES);
  }

  /** What has not fully proven who it is has not been anywhere. */
  opened({ principal, organisation, assurance, transport }: EventOf<'session.opened'>): readonly Suspicion[] {
    if (!principal.startsWith('device:') || assurance !== 'full') return [];
    const { countryOf, learning, now } = this.#options;
    const country = countryOf(transport.remoteAddress);
    if (country === undefined) return [];
    const { countries = [], since = now() } = this.#places.get(principal) ?? {};
    const known = countries.includes(country);
    const place = { principal, since, countries: known ? countries : [...countries, country].slice(-COUNTRIES) };
    const dropped = keep(this.#places, principal, place, DEVICES);
    if (known) return [];
    this.#write((store) => store.save(place));
    if (dropped !== undefined) this.#write((store) => store.remove(dropped));
    if (countries.length === 0 || now() - since < learning) return [];
    const text = `It connected from ${transport.remoteAddress}, which is in ${country}; it was only in ${countries.join(', ')} before.`;
    return [{ rule: 'new-country', subject: principal, organisation, text }];
  }

  /** Another device may get the name. */
  forget(principal: string): void {
    if (this.#places.delete(principal)) this.#write((store) => store.remove(principal));
  }

  close(): Promise<unknown> {
    return this.#writing;
  }

  #write(work: (store: PlaceStore) => Promise<void>): void {
    this.#writing = this.#writing.then(() => work(this.#options.store)).catch(this.#options.onDefect);
  }
}
