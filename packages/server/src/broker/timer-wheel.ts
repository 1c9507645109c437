/** Something that is due at a tick of a {@link TimerWheel}. All but `elapsed` belongs to the wheel: start `slot` with -1. */
export interface Timed {
  due: number;
  slot: number;
  /** The one behind it in its slot. */
  next?: Timed | undefined;
  /** The one before it; of the first, the last. */
  previous?: Timed | undefined;
  elapsed(): void;
}

/** Something timed that is nothing but that. */
export class Alarm implements Timed {
  due = 0;
  slot = -1;
  next: Timed | undefined;
  previous: Timed | undefined;
  ring: (() => void) | undefined;

  elapsed(): void {
    this.ring?.();
  }
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
  /** The first of each slot. */
  readonly #slots: (Timed | undefined)[] = new Array<Timed | undefined>(SLOTS).fill(undefined);
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

  cancel(timed: Timed | undefined): void {
    if (timed === undefined || timed.slot < 0) return;
    const { next, previous } = timed;
    const first = this.#slots[timed.slot]!;
    if (first === timed) this.#slots[timed.slot] = next;
    else previous!.next = next;
    if (next !== undefined) next.previous = previous;
    else if (first !== timed) first.previous = previous;
    timed.next = undefined;
    timed.previous = undefined;
    timed.slot = -1;
  }

  advance(): void {
    this.tick++;
    const slot = this.tick % SLOTS;
    // Nothing can be put into the slot of this tick, so that it runs empty.
    for (let timed = this.#slots[slot]; timed !== undefined; timed = this.#slots[slot]) {
      this.cancel(timed);
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
    const first = this.#slots[timed.slot];
    if (first === undefined) {
      timed.previous = timed;
      this.#slots[timed.slot] = timed;
      return;
    }
    first.previous!.next = timed;
    timed.previous = first.previous;
    first.previous = timed;
  }
}
