/** Something that is due at a tick of a {@link TimerWheel}. `slot` belongs to the wheel: start it with -1. */
export interface Timed {
  due: number;
  slot: number;
  elapsed(): void;
}

/** Calls `tick` every `period` milliseconds until the function that it answers is called. */
export type Ticker = (tick: () => void, period: number) => () => void;

/** A {@link Ticker} that does not keep the process alive. */
export const intervalTicker: Ticker = (tick, period) => {
  const timer = setInterval(tick, period).unref();
  return () => clearInterval(timer);
};

const SLOTS = 512;

/**
 * One coarse timer for all keep alives, deadlines, will delays and session expiries.
 *
 * Time is counted in ticks that really ran, not read from a clock: a process that was stopped for a minute must not find
 * all its clients dead at once, with their packets still unread.
 */
export class TimerWheel {
  /** Ticks since the start. */
  tick = 0;
  readonly #period: number;
  readonly #slots: Set<Timed>[] = Array.from({ length: SLOTS }, () => new Set<Timed>());
  readonly #defect: ((problem: unknown) => void) | undefined;
  readonly #stop: () => void;

  /** `period`: milliseconds of a tick. `defect` hears what a timed thing throws, so that the others still get their turn. */
  constructor(ticker: Ticker, period = 500, defect?: (problem: unknown) => void) {
    this.#period = period;
    this.#defect = defect;
    this.#stop = ticker(() => this.advance(), period);
  }

  /** Whole ticks that last at least so many milliseconds. */
  ticks(milliseconds: number): number {
    return Math.ceil(milliseconds / this.#period);
  }

  /** Calls `elapsed` once, not before `milliseconds` have passed; replaces an earlier date of the same thing. */
  schedule(timed: Timed, milliseconds: number): void {
    this.scheduleTicks(timed, this.ticks(milliseconds));
  }

  scheduleTicks(timed: Timed, ticks: number): void {
    this.cancel(timed);
    // The tick that is running has partly passed already.
    timed.due = this.tick + Math.max(1, ticks) + 1;
    this.#insert(timed);
  }

  cancel(timed: Timed): void {
    if (timed.slot >= 0) this.#slots[timed.slot]?.delete(timed);
    timed.slot = -1;
  }

  advance(): void {
    this.tick++;
    const slot = this.#slots[this.tick % SLOTS];
    if (slot === undefined || slot.size === 0) return;
    // What is due in a later round goes to another slot while we walk, so walk a copy.
    for (const timed of [...slot]) {
      if (timed.slot < 0) continue;
      slot.delete(timed);
      timed.slot = -1;
      if (timed.due > this.tick) this.#insert(timed);
      else this.#call(timed);
    }
  }

  #call(timed: Timed): void {
    try {
      timed.elapsed();
    } catch (problem) {
      if (this.#defect === undefined) throw problem;
      this.#defect(problem);
    }
  }

  stop(): void {
    this.#stop();
  }

  #insert(timed: Timed): void {
    const away = Math.min(timed.due - this.tick, SLOTS - 1);
    timed.slot = (this.tick + Math.max(1, away)) % SLOTS;
    this.#slots[timed.slot]?.add(timed);
  }
}
