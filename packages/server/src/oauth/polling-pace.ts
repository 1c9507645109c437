/** RFC 8628 section 3.5: who asks too early waits so much longer from then on. Milliseconds. */
const SLOWED_BY = 5000;

interface Pace {
  askedAt: number;
  interval: number;
}

/** How often devices that wait for their owner ask, each by its code. Times in milliseconds. */
export class PollingPace {
  readonly #interval: number;
  readonly #most: number;
  readonly #now: () => number;
  readonly #paces = new Map<string, Pace>();

  /** `most`: codes that are remembered; those that were not asked about for longest go first. */
  constructor({ interval, most, now }: { interval: number; most: number; now: () => number }) {
    this.#interval = interval;
    this.#most = most;
    this.#now = now;
  }

  /** Whether the holder of a code may ask at this moment; if not, it has to wait longer from now on. */
  allows(code: string): boolean {
    const now = this.#now();
    const before = this.#paces.get(code);
    const early = before !== undefined && now - before.askedAt < before.interval;
    const interval = (before?.interval ?? this.#interval) + (early ? SLOWED_BY : 0);
    this.#paces.delete(code);
    if (this.#paces.size >= this.#most) this.#paces.delete(this.#paces.keys().next().value ?? '');
    this.#paces.set(code, { askedAt: now, interval });
    return !early;
  }
}
