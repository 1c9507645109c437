import type { Page, Refusal } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import type { Database } from '../storage/database.ts';
import { pageLimit } from '../storage/page.ts';
import { type NewRefusal, RefusalBook } from './refusal-book.ts';
import { listRefusals, pruneRefusals, type RefusalFilter, readRefusal, saveRefusals } from './refusal-rows.ts';
import { StoreHealth } from './store-health.ts';
import { readTicket } from './ticket.ts';

export interface RefusalsOptions {
  readonly database: Database;
  readonly now: () => number;
  readonly random: (size: number) => Uint8Array;
  /** Hears `store.failing` and `store.recovered`. */
  readonly emit: (event: ServerEvent) => void;
  /** Milliseconds that a refusal is kept; 30 days if left out. */
  readonly retention?: number;
  /** Refusals kept on disk at most; the oldest go first. 100,000 if left out. */
  readonly maximumRows?: number;
}

/** Why things were refused, by ticket. */
export interface Refusals {
  /**
   * Keeps a refusal and gives it its ticket. Synchronous, bounded, never throws: it stands in the way of every attack.
   * Equal refusals (address, client id, principal, action, resource, reason) within a minute share a ticket and are only counted.
   * When there are too many, they share one ticket that says how many.
   */
  refuse(refusal: NewRefusal): Refusal;
  /** Keeps what another process of the server has refused under tickets of its own; of it so many have no trace. */
  adopt(refusals: readonly Refusal[], untraced: number): void;
  /** Case and the letters that look like digits do not matter. */
  find(ticket: string): Promise<Refusal | undefined>;
  /** Newest first. While the disk does not answer: those in memory. */
  list(filter: RefusalFilter): Promise<Page<Refusal>>;
  /** Writes what is only in memory; rejects with `store_unavailable` if that cannot be done. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Refusals met; of these the ones that have no trace of their own because there were too many. */
  readonly counts: { readonly total: number; readonly untraced: number };
}

const SAVED_AT_ONCE = 500;
const SAVE_AFTER = 1_000;
const RETRY_AFTER = 5_000;
const PRUNE_AFTER = 500;
const DAY = 86_400_000;

export function openRefusals(options: RefusalsOptions): Refusals {
  return new KeptRefusals(options);
}

class KeptRefusals implements Refusals {
  readonly #options: RefusalsOptions;
  readonly #book: RefusalBook;
  readonly #health: StoreHealth;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> | undefined;
  #unpruned = PRUNE_AFTER;
  #closed = false;

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#book = new RefusalBook(options.now, options.random);
    this.#health = new StoreHealth('refusals', options.emit);
  }

  get counts() {
    return this.#book.counts;
  }

  refuse(refusal: NewRefusal): Refusal {
    const kept = this.#book.add(refusal);
    this.#schedule(SAVE_AFTER);
    return kept;
  }

  adopt(refusals: readonly Refusal[], untraced: number): void {
    this.#book.adopt(refusals, untraced);
    this.#schedule(SAVE_AFTER);
  }

  async find(text: string): Promise<Refusal | undefined> {
    const ticket = readTicket(text);
    if (ticket === undefined) return undefined;
    return this.#book.find(ticket) ?? (await readRefusal(this.#options.database, ticket));
  }

  async list(filter: RefusalFilter): Promise<Page<Refusal>> {
    try {
      await this.flush();
      return await listRefusals(this.#options.database, filter);
    } catch {
      return { items: this.#book.list().filter(fits(filter)).slice(0, pageLimit(filter.limit)) };
    }
  }

  async flush(): Promise<void> {
    while (this.#saving) await this.#saving.catch(() => {});
    this.#saving = this.#save();
    try {
      await this.#saving;
    } finally {
      this.#saving = undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.flush().catch(() => {});
  }

  #schedule(delay: number): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.flush().catch(() => this.#schedule(RETRY_AFTER));
      },
      this.#health.failing ? RETRY_AFTER : delay,
    );
    this.#timer.unref();
  }

  async #save(): Promise<void> {
    const { database, now, retention = 30 * DAY, maximumRows = 100_000 } = this.#options;
    for (;;) {
      const { refusals, failed } = this.#book.takeUnsaved(SAVED_AT_ONCE);
      if (refusals.length === 0) break;
      try {
        await saveRefusals(database, refusals);
      } catch (error) {
        failed();
        this.#health.failed(error);
        throw error;
      }
      this.#health.succeeded();
      this.#unpruned += refusals.length;
    }
    if (this.#unpruned < PRUNE_AFTER) return;
    await pruneRefusals(database, now() - retention, maximumRows);
    this.#unpruned = 0;
  }
}

function fits(filter: RefusalFilter): (refusal: Refusal) => boolean {
  const names = ['organisation', 'principal', 'clientId', 'address', 'reason', 'action'] as const;
  return (refusal) =>
    names.every((name) => filter[name] === undefined || filter[name] === refusal[name]) &&
    (filter.since === undefined || Date.parse(refusal.lastAt) >= filter.since) &&
    (filter.until === undefined || Date.parse(refusal.at) < filter.until);
}
