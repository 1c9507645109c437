import type { Page, Refusal, RefusalReason, RefusedAction } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import type { Database } from '../storage/database.ts';
import type { PageRequest } from '../storage/page.ts';

/** A refusal before it has its ticket. */
export type NewRefusal = Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>;

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

export interface RefusalFilter extends PageRequest {
  readonly organisation?: string;
  readonly principal?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly reason?: RefusalReason;
  readonly action?: RefusedAction;
  /** Milliseconds since the epoch, of the last time it was met. */
  readonly since?: number;
  readonly until?: number;
}

/** Why things were refused, by ticket. */
export interface Refusals {
  /**
   * Keeps a refusal and gives it its ticket. Synchronous, bounded, never throws: it stands in the way of every attack.
   * Equal refusals (address, client id, action, resource, reason) within a minute share a ticket and are only counted.
   */
  refuse(refusal: NewRefusal): Refusal;
  /** Case and the letters that look like digits do not matter. */
  find(ticket: string): Promise<Refusal | undefined>;
  /** Newest first. */
  list(filter: RefusalFilter): Promise<Page<Refusal>>;
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Refusals met; of these the ones that had no trace of their own because there were too many. */
  readonly counts: { readonly total: number; readonly untraced: number };
}

export function openRefusals(_options: RefusalsOptions): Refusals {
  throw new Error('not built yet');
}
