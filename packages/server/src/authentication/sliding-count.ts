/** How often something may happen within a window, by name. Times are milliseconds since the epoch. */
export class SlidingCount {
  readonly #most: number;
  readonly #window: number;
  readonly #times = new Map<string, number[]>();
  #sweepAt = 1000;

  constructor(most: number, window: number) {
    this.#most = most;
    this.#window = window;
  }

  /** Milliseconds until it may happen again; 0: now. */
  wait(name: string, now: number): number {
    const times = this.#recent(name, now);
    const first = times.at(-this.#most);
    return first === undefined ? 0 : first + this.#window - now;
  }

  add(name: string, now: number): void {
    this.#times.set(name, [...this.#recent(name, now), now].slice(-this.#most));
    // Names are those of registered devices, but of many of them nothing more is heard.
    if (this.#times.size < this.#sweepAt) return;
    for (const each of this.#times.keys()) this.#recent(each, now);
    this.#sweepAt = Math.max(1000, this.#times.size * 2);
  }

  forget(name: string): void {
    this.#times.delete(name);
  }

  #recent(name: string, now: number): number[] {
    const times = this.#times.get(name);
    if (times === undefined) return [];
    const recent = times.filter((time) => time > now - this.#window);
    if (recent.length === 0) this.#times.delete(name);
    return recent;
  }
}
