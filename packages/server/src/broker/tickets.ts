import type { Receiver } from './receiver.ts';

/** What came of something that other workers had to do. */
export const DONE = 0;
/** A store did not take it. */
export const REFUSED = 1;
/** A worker ended before it said that it was done. */
export const LOST = 2;
export type Outcome = typeof DONE | typeof REFUSED | typeof LOST;

/** Who waits for a ticket: a client that is to be answered, or a function. */
export type Holder = Receiver | ((outcome: Outcome) => void);

/**
 * What other workers have to say before something may go on here. A ticket is a number; it is settled when everything that was added to it
 * is. Numbers in arrays: waiting costs a message no object.
 */
export class Tickets {
  /** Ticket of the first element of the arrays. */
  #base = 1;
  #head = 0;
  readonly #left: number[] = [];
  readonly #outcomes: Outcome[] = [];
  readonly #holders: (Holder | undefined)[] = [];
  readonly #told: (client: Receiver, ticket: number, outcome: Outcome) => void;

  /** `told` hears of each settled ticket that a client holds. */
  constructor(told: (client: Receiver, ticket: number, outcome: Outcome) => void) {
    this.#told = told;
  }

  /** A new ticket, for which something is to be added at once. */
  open(holder?: Holder): number {
    this.#left.push(0);
    this.#outcomes.push(DONE);
    this.#holders.push(holder);
    return this.#base + this.#left.length - 1;
  }

  hold(ticket: number, holder: Holder): void {
    this.#holders[ticket - this.#base] = holder;
  }

  /** One more thing has to be done. */
  add(ticket: number): void {
    this.#left[ticket - this.#base]!++;
  }

  /** One thing is done, or is not going to be. */
  settle(ticket: number, outcome: Outcome): void {
    const index = ticket - this.#base;
    if (outcome > this.#outcomes[index]!) this.#outcomes[index] = outcome;
    if (--this.#left[index]! > 0) return;
    const holder = this.#holders[index];
    const came = this.#outcomes[index]!;
    this.#holders[index] = undefined;
    this.#shrink();
    if (typeof holder === 'function') holder(came);
    else if (holder !== undefined) this.#told(holder, ticket, came);
  }

  done(ticket: number): boolean {
    const index = ticket - this.#base;
    return index < this.#head || this.#left[index] === 0;
  }

  #shrink(): void {
    while (this.#head < this.#left.length && this.#left[this.#head] === 0) this.#head++;
    if (this.#head < 256 || this.#head * 2 < this.#left.length) return;
    for (const array of [this.#left, this.#outcomes, this.#holders]) array.splice(0, this.#head);
    this.#base += this.#head;
    this.#head = 0;
  }
}
