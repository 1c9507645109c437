import { MOST_WORKERS } from '../bus/exchange.ts';

/** Numbers for rows of the session store, from 1 upwards. Those of several workers never meet: each takes every so many of them. */
export class RowNumbers {
  last = 0;
  readonly #step: number;
  readonly #worker: number;

  /** `worker`: number of this worker; undefined where there is one only. */
  constructor(worker: number | undefined) {
    this.#step = worker === undefined ? 1 : MOST_WORKERS;
    this.#worker = worker ?? 0;
  }

  next(): number {
    const next = (Math.floor(this.last / this.#step) + 1) * this.#step + this.#worker;
    this.last = next;
    return next;
  }

  /** A number that is taken already, by whomever. */
  skip(taken: number): void {
    this.last = Math.max(this.last, taken);
  }
}
