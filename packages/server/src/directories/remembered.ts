export interface RememberedOptions<V> {
  readonly ask: (key: string) => Promise<V>;
  /** How long an answer counts, also that there is nothing; milliseconds. */
  readonly lifetime: number;
  /** How long beyond that it counts while nobody answers; milliseconds. */
  readonly outage: number;
  /** Answers kept at most; the one asked for longest ago goes first. */
  readonly most: number;
  readonly now: () => number;
}

interface Kept<V> {
  readonly value: V;
  readonly askedAt: number;
}

/**
 * Remembers answers of a third party for a stated time. Of many who ask the same at once, one asks. When nobody answers, the
 * last answer counts a stated time longer and no longer: then the question fails.
 */
export class Remembered<V> {
  readonly #options: RememberedOptions<V>;
  readonly #kept = new Map<string, Kept<V>>();
  readonly #flights = new Map<string, Promise<V>>();

  constructor(options: RememberedOptions<V>) {
    this.#options = options;
  }

  /** At once if the answer is known. */
  get(key: string): V | Promise<V> {
    const known = this.#kept.get(key);
    if (known && this.#options.now() < known.askedAt + this.#options.lifetime) return known.value;
    const flying = this.#flights.get(key);
    if (flying) return flying;
    const flight = this.#ask(key, known).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** Nothing is remembered any more. */
  forget(): void {
    this.#kept.clear();
  }

  async #ask(key: string, known: Kept<V> | undefined): Promise<V> {
    const { ask, lifetime, outage, most, now } = this.#options;
    // The time of the question: what changed while it was under way may not be in the answer.
    const askedAt = now();
    try {
      const value = await ask(key);
      this.#kept.delete(key);
      this.#kept.set(key, { value, askedAt });
      const oldest = this.#kept.keys().next();
      if (this.#kept.size > most && !oldest.done) this.#kept.delete(oldest.value);
      return value;
    } catch (error) {
      if (known && now() < known.askedAt + lifetime + outage) return known.value;
      throw error;
    }
  }
}
