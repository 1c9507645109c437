export interface AttemptBoundOptions {
  /** Failed attempts that an address may make at once. */
  readonly burst: number;
  /** After how many milliseconds one more is allowed. */
  readonly refill: number;
  /** Addresses remembered at most; the one seen longest ago is forgotten first. */
  readonly addresses: number;
  readonly now: () => number;
}

/** Counts failed attempts per address: a bucket that empties with each and fills with time. IPv6 counts by /64 network. */
export class AttemptBound {
  readonly #options: AttemptBoundOptions;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(options: AttemptBoundOptions) {
    this.#options = options;
  }

  /**
   * Takes one attempt before it is judged, so that many at once cannot slip through. Answers the milliseconds to wait if none
   * is left, else 0.
   */
  take(address: string): number {
    const { burst, refill, addresses, now } = this.#options;
    const key = networkOf(address);
    const known = this.#buckets.get(key);
    const left = known ? Math.min(burst, known.left + (now() - known.at) / refill) : burst;
    if (left < 1) return Math.ceil((1 - left) * refill);

    this.#buckets.delete(key);
    this.#buckets.set(key, { left: left - 1, at: now() });
    if (this.#buckets.size > addresses) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return 0;
  }

  /** Gives the attempt back: it was not a failed one. */
  giveBack(address: string): void {
    const key = networkOf(address);
    const bucket = this.#buckets.get(key);
    if (!bucket) return;
    bucket.left += 1;
    if (bucket.left >= this.#options.burst) this.#buckets.delete(key);
  }
}

/** A subscriber owns a whole /64, so single IPv6 addresses are no bound. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}
