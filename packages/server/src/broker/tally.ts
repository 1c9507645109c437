/** Counts by name and by worker. */
export class Tally {
  /** Names whose counts have changed since they were last taken. */
  readonly changed = new Set<string>();
  readonly #counts = new Map<string, Map<number, number>>();

  add(name: string, worker: number, by: 1 | -1): void {
    const counts = this.#counts.get(name) ?? new Map<number, number>();
    const count = (counts.get(worker) ?? 0) + by;
    if (count > 0) counts.set(worker, count);
    else counts.delete(worker);
    if (counts.size > 0) this.#counts.set(name, counts);
    else this.#counts.delete(name);
    this.changed.add(name);
  }

  total(name: string): number {
    let total = 0;
    for (const count of this.#counts.get(name)?.values() ?? []) total += count;
    return total;
  }

  /** The part of each worker that has any, above 0 and at most 1. */
  shares(name: string): Map<number, number> {
    const total = this.total(name);
    return new Map([...(this.#counts.get(name) ?? [])].map(([worker, count]) => [worker, count / total]));
  }

  /** The part of a worker that has one at least. */
  shareWith(name: string, worker: number): number {
    const own = this.#counts.get(name)?.get(worker) ?? 0;
    const more = own === 0 ? 1 : 0;
    return (own + more) / (this.total(name) + more);
  }
}
