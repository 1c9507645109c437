import { type BrokerCounters, newCounters } from '../broker/counters.ts';

/** What each worker has of its own, and only the office has of all: messages that are retained are kept by every worker. */
const OF_ALL: ReadonlySet<string> = new Set(['retainedNow', 'retainedBytesNow']);

/** The counters of the office and of all workers as one, of the dead too, so that nothing that only grows ever shrinks. */
export class SummedCounters {
  readonly sum = newCounters();
  readonly #office: BrokerCounters;
  readonly #workers = new Map<number, BrokerCounters>();
  readonly #dead = newCounters();

  constructor(office: BrokerCounters) {
    this.#office = office;
  }

  update(worker: number, counters: BrokerCounters): void {
    this.#workers.set(worker, counters);
  }

  /** A worker is gone: what it has counted stays, what it had does not. */
  forget(worker: number): void {
    const last = this.#workers.get(worker);
    this.#workers.delete(worker);
    if (last === undefined) return;
    for (const key of keysOf(last)) if (!key.endsWith('Now')) this.#dead[key] += last[key];
  }

  refresh(): void {
    const parts = [this.#dead, ...this.#workers.values()];
    for (const key of keysOf(this.sum)) {
      this.sum[key] = this.#office[key];
      if (!OF_ALL.has(key)) for (const part of parts) this.sum[key] += part[key] ?? 0;
    }
  }
}

function keysOf(counters: BrokerCounters): (keyof BrokerCounters)[] {
  return Object.keys(counters) as (keyof BrokerCounters)[];
}
