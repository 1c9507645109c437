import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Page } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import { insertAuditRows, type NewAuditRow } from '../storage/audit-rows.ts';
import type { Database } from '../storage/database.ts';
import { RepeatedRows } from './repeated-rows.ts';
import { rowOfEvent } from './row-of-event.ts';
import { StoreHealth } from './store-health.ts';
import { type AuditQuery, type AuditRow, queryTrail } from './trail-query.ts';

export interface TrailOptions {
  readonly database: Database;
  readonly now: () => number;
  /** Hears `store.failing` and `store.recovered`. */
  readonly emit: (event: ServerEvent) => void;
  /** Milliseconds that a row is kept. */
  readonly retention: number;
  /** Rows kept at most; the oldest go first. */
  readonly maximumRows: number;
  /** Milliseconds that a row waits for others before they are written together. 500 if left out. */
  readonly batchAge?: number;
}

/** Everything of note that has happened, on disk. */
export interface Trail {
  /** Never blocks, never throws. Rows of the registry's own changes are written by the registry: they are passed over here. */
  record(event: ServerEvent): void;
  /** Rejects with `store_unavailable`. */
  query(query: AuditQuery): Promise<Page<AuditRow>>;
  /** Writes what waits; rejects with `store_unavailable` if that cannot be done. */
  flush(): Promise<void>;
  /** Writes what waits, as far as that is possible, and stops. */
  close(): Promise<void>;
  /** Rows written, rows that wait, rows lost because the disk did not take them in time. */
  readonly counts: { readonly written: number; readonly waiting: number; readonly lost: number };
}

/** Rows in one transaction: more would hold up whoever else writes. */
const BATCH = 500;
/** Rows that wait at most while the disk does not take them. */
const MOST_WAITING = 10_000;
const RETRY_AFTER = 5_000;
/** Rows that are removed in one step. */
const PRUNED_AT_ONCE = 1_000;
const PRUNE_AFTER_ROWS = 1_000;

/** Opens the trail: listen with `stream.on('*', (event) => trail.record(event))`. */
export function openTrail(options: TrailOptions): Trail {
  return new BatchedTrail(options);
}

class BatchedTrail implements Trail {
  readonly #options: TrailOptions;
  readonly #health: StoreHealth;
  readonly #repeated = new RepeatedRows();
  #waiting: NewAuditRow[] = [];
  #written = 0;
  #lost = 0;
  #lostUntold = 0;
  #unpruned = PRUNE_AFTER_ROWS;
  #timer: NodeJS.Timeout | undefined;
  #hurried = false;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: TrailOptions) {
    this.#options = options;
    this.#health = new StoreHealth('audit', options.emit);
  }

  get counts() {
    const waiting = this.#waiting.length + this.#repeated.waiting;
    return { written: this.#written, waiting, lost: this.#lost };
  }

  record(event: ServerEvent): void {
    const row = rowOfEvent(event);
    if (row === undefined || this.#closed) return;
    const at = this.#options.now();
    if (event.type === 'message.dropped') {
      this.#repeated.add(`${event.organisation} ${event.cause} ${event.clientId}`, row, event.count, at);
    } else if (event.type === 'defect') {
      this.#repeated.add(event.where, row, 1, at);
    } else {
      this.#push({ ...row, at });
    }
    this.#schedule(this.#waiting.length >= BATCH);
  }

  async query(query: AuditQuery): Promise<Page<AuditRow>> {
    // What has just happened is what is mostly asked for. If it cannot be written, what is on disk can still be read.
    await this.#write(false).catch(() => {});
    return queryTrail(this.#options.database, query);
  }

  flush(): Promise<void> {
    return this.#write(true);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#write(true).catch(() => {});
  }

  #push(row: NewAuditRow): void {
    this.#waiting.push(row);
    this.#bound();
  }

  #bound(): void {
    const excess = this.#waiting.length - MOST_WAITING;
    if (excess <= 0) return;
    this.#waiting.splice(0, excess);
    this.#lost += excess;
    this.#lostUntold += excess;
  }

  #schedule(hurry: boolean): void {
    const hurried = hurry && !this.#health.failing;
    if (this.#closed || (this.#timer !== undefined && (this.#hurried || !hurried))) return;
    clearTimeout(this.#timer);
    const delay = this.#health.failing ? RETRY_AFTER : hurried ? 0 : (this.#options.batchAge ?? 500);
    this.#hurried = hurried;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const goOn = () => {
        if (this.counts.waiting > 0) this.#schedule(false);
      };
      this.#write(false).then(goOn, goOn);
    }, delay);
    this.#timer.unref();
  }

  /** One write at a time; whoever asks meanwhile waits for it and then for what came after it. */
  async #write(all: boolean): Promise<void> {
    while (this.#writing) await this.#writing.catch(() => {});
    this.#writing = this.#writeAll(all);
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeAll(all: boolean): Promise<void> {
    const { database, now } = this.#options;
    for (const row of this.#repeated.take(now(), all)) this.#push(row);
    while (this.#waiting.length > 0) {
      const told = this.#lostUntold;
      const batch = this.#waiting.splice(0, BATCH);
      if (told > 0) batch.unshift({ at: now(), type: 'audit.lost', outcome: 'failed', details: { count: told } });
      try {
        await database.transaction((transaction) => insertAuditRows(transaction, batch));
      } catch (error) {
        this.#waiting = [...(told > 0 ? batch.slice(1) : batch), ...this.#waiting];
        this.#bound();
        this.#health.failed(error);
        throw error;
      }
      this.#lostUntold -= told;
      this.#written += batch.length;
      this.#unpruned += batch.length;
      this.#health.succeeded();
      // Connections are served between two batches.
      if (this.#waiting.length > 0) await nextTurn();
    }
    if (this.#unpruned >= PRUNE_AFTER_ROWS) await this.#prune();
  }

  async #prune(): Promise<void> {
    const { database, now, retention, maximumRows } = this.#options;
    const db = database.query;
    const edge = (order: 'asc' | 'desc') =>
      db.selectFrom('audit').select('sequence').orderBy('sequence', order).limit(1).executeTakeFirst();
    const first = Number((await edge('asc'))?.sequence ?? 0);
    const last = Number((await edge('desc'))?.sequence ?? 0);
    const old = await db
      .selectFrom('audit')
      .select('sequence')
      .where('at', '<', now() - retention)
      .orderBy('at')
      .limit(PRUNED_AT_ONCE)
      .execute();
    const wanted = Math.max(last - maximumRows, ...old.map((row) => Number(row.sequence)));
    const until = Math.min(wanted, first + PRUNED_AT_ONCE - 1);
    if (wanted >= first) await db.deleteFrom('audit').where('sequence', '<=', until).execute();
    // If there is more, the next write goes on with it.
    this.#unpruned = wanted > until ? PRUNE_AFTER_ROWS : 0;
  }
}
