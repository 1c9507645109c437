import type { NewAuditRow } from '../storage/audit-rows.ts';
import type { Row } from './row-of-event.ts';

/** Keys that are told apart at once; what comes on top is counted under one. */
const MOST_KEYS = 1000;
const PERIOD = 60_000;

/** Rows that would come with every message: one for each key and minute, with a count. */
export class RepeatedRows {
  #since = 0;
  #rows = new Map<string, { at: number; row: Row; count: number }>();

  add(key: string, row: Row, count: number, at: number): void {
    if (this.#rows.size === 0) this.#since = at;
    const used = this.#rows.has(key) || this.#rows.size < MOST_KEYS ? key : `${row.type} of others`;
    const known = this.#rows.get(used);
    if (known) known.count += count;
    else if (used === key) this.#rows.set(key, { at, row, count });
    else this.#rows.set(used, { at, row: { type: row.type, details: { clientId: 'others' } }, count });
  }

  /** What is ready to be written: nothing until the minute is over, unless `all` is asked for. */
  take(now: number, all: boolean): NewAuditRow[] {
    if (this.#rows.size === 0 || (!all && now - this.#since < PERIOD)) return [];
    const rows = [...this.#rows.values()].map(({ at, row, count }) => ({
      ...row,
      at,
      details: { ...row.details, count },
    }));
    this.#rows.clear();
    return rows;
  }

  get waiting(): number {
    return this.#rows.size;
  }
}
