import type { ServerEvent } from '../events/events.ts';

type Told = Extract<ServerEvent, { readonly type: 'certificate.expiring' }>;

/** The steps at which an end is told of, in days. */
export const EXPIRY_DAYS = [30, 7, 1] as const;
type Days = (typeof EXPIRY_DAYS)[number];

/** Something that ends, or several of one kind and organisation together. */
export interface Ending {
  readonly what: Told['what'];
  readonly name: string;
  readonly organisation?: string | undefined;
  /** Those that end within the days. */
  readonly within: Readonly<Record<Days, number>>;
  /** When the first of them ends. Milliseconds since the epoch. */
  readonly notAfter: number;
}

export interface ExpiryWatchOptions {
  /** What ends within the longest of the steps. */
  readonly endings: () => Promise<readonly Ending[]>;
  readonly emit: (event: Told) => void;
  readonly now: () => number;
}

const DAY = 86_400_000;
/** What ends within the last day is told of again after so long; several things of one kind are as well, because others join them. */
const AGAIN = DAY;
/** However much ends: more events would hide each other. */
const TOLD_AT_ONCE = 100;

/** Single things: how many of them end within each of the steps. */
export function stepsOf(notAfter: number, now: number): Ending['within'] {
  const left = notAfter - now;
  const within = (days: Days): number => (left <= days * DAY ? 1 : 0);
  return { 30: within(30), 7: within(7), 1: within(1) };
}

/** Tells what ends soon: once when each step is reached, and of what comes in numbers at most once a day for each step. */
export class ExpiryWatch {
  readonly #options: ExpiryWatchOptions;
  readonly #told = new Map<string, { readonly days: Days; readonly at: number }>();
  #counts: Readonly<Record<string, Ending['within']>> = {};

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
  }

  /** As of the last look: how many of each kind end within each of the steps. */
  get counts(): Readonly<Record<string, Ending['within']>> {
    return this.#counts;
  }

  async look(): Promise<void> {
    const { endings, emit, now } = this.#options;
    const at = now();
    const found = await endings();
    const counts: Record<string, Record<Days, number>> = {};
    const keys = new Set<string>();
    let left = TOLD_AT_ONCE;
    for (const { what, name, organisation, within, notAfter } of found) {
      counts[what] ??= { 30: 0, 7: 0, 1: 0 };
      for (const days of EXPIRY_DAYS) counts[what][days] += within[days];
      const days = [...EXPIRY_DAYS].reverse().find((step) => within[step] > 0);
      const key = `${what} ${organisation ?? ''} ${name}`;
      keys.add(key);
      const told = this.#told.get(key);
      const isNew = !told || (days ?? 30) < told.days;
      const isDueAgain = told !== undefined && at - told.at >= AGAIN && (what === 'client certificates' || days === 1);
      if (days === undefined || (!isNew && !isDueAgain) || left-- <= 0) continue;
      this.#told.set(key, { days, at });
      const whose = organisation === undefined ? {} : { organisation };
      emit({ type: 'certificate.expiring', what, name, ...whose, days, count: within[days], notAfter });
    }
    for (const key of this.#told.keys()) if (!keys.has(key)) this.#told.delete(key);
    this.#counts = counts;
  }
}
