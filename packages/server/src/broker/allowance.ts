/** An allowance holds what may come in so many seconds: a burst is taken as it comes, and only what goes on is slowed. */
const BURST_SECONDS = 2;

/**
 * Messages and bytes that may still come at once. Two token buckets of plain numbers: spending costs a subtraction, and time is
 * looked at once per chunk. What is spent beyond is owed.
 */
export class Allowance {
  messages = Number.POSITIVE_INFINITY;
  bytes = Number.POSITIVE_INFINITY;
  messageRate = Number.POSITIVE_INFINITY;
  byteRate = Number.POSITIVE_INFINITY;
  #at = 0;
  #granted: readonly [messageRate: number, byteRate: number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  #share = 1;

  /** Rates per second; `Infinity` is no bound. What is owed stays owed. */
  grant(messageRate: number, byteRate: number): void {
    this.#granted = [messageRate, byteRate];
    this.#set(messageRate * this.#share, byteRate * this.#share);
  }

  /** The part of what is granted that may be used here, where there are other workers; above 0, at most 1. */
  portion(share: number): void {
    this.#share = share;
    this.grant(...this.#granted);
  }

  #set(messageRate: number, byteRate: number): void {
    if (messageRate !== this.messageRate) this.messages = Math.min(this.messages, messageRate * BURST_SECONDS);
    if (byteRate !== this.byteRate) this.bytes = Math.min(this.bytes, byteRate * BURST_SECONDS);
    this.messageRate = messageRate;
    this.byteRate = byteRate;
  }

  /** `now` in milliseconds since the epoch; a clock that is set back gives nothing and takes nothing. */
  refill(now: number): void {
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    if (seconds <= 0) return;
    this.messages = Math.min(this.messageRate * BURST_SECONDS, this.messages + seconds * this.messageRate);
    this.bytes = Math.min(this.byteRate * BURST_SECONDS, this.bytes + seconds * this.byteRate);
  }

  /** Milliseconds until nothing is owed. */
  wait(): number {
    const messages = this.messages < 0 ? -this.messages / this.messageRate : 0;
    const bytes = this.bytes < 0 ? -this.bytes / this.byteRate : 0;
    return Math.max(messages, bytes) * 1000;
  }
}

/** A token bucket for what comes one at a time and may have to wait for its turn. */
export class Turnstile {
  #owed = 0;
  #at = 0;

  /**
   * Milliseconds to wait before the next may pass; its turn is taken. Undefined if that is longer than `patience`: then no turn is
   * taken. `rate` per second; `burst` may pass without waiting.
   */
  pass(now: number, rate: number, burst: number, patience: number): number | undefined {
    this.#owed = Math.max(0, this.#owed - (Math.max(0, now - this.#at) / 1000) * rate);
    this.#at = now;
    if (!Number.isFinite(rate)) return 0;
    const wait = ((this.#owed + 1 - burst) / rate) * 1000;
    if (wait > patience) return undefined;
    this.#owed++;
    return Math.max(0, wait);
  }
}
