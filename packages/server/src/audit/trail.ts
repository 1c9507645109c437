import type { Page } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import type { Database } from '../storage/database.ts';
import type { PageRequest } from '../storage/page.ts';

/** One row of the audit trail. `at` is in milliseconds since the epoch. */
export interface AuditRow {
  readonly sequence: number;
  readonly at: number;
  readonly type: string;
  readonly by?: string;
  readonly target?: string;
  readonly organisation?: string;
  readonly principal?: string;
  readonly address?: string;
  readonly outcome?: string;
  readonly ticket?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What is looked for in the trail; all that is given must hold. */
export interface AuditQuery extends PageRequest {
  /** A type, or the beginning of one with `*`: `session.*`. */
  readonly type?: string;
  readonly principal?: string;
  readonly organisation?: string;
  readonly by?: string;
  readonly ticket?: string;
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number;
  /** `newest` (first) if left out. */
  readonly order?: 'newest' | 'oldest';
}

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
  query(query: AuditQuery): Promise<Page<AuditRow>>;
  /** Writes what waits; rejects with `store_unavailable` if that cannot be done. */
  flush(): Promise<void>;
  /** Writes what waits, as far as that is possible, and stops. */
  close(): Promise<void>;
  /** Rows written, rows that wait, rows lost because the disk did not take them in time. */
  readonly counts: { readonly written: number; readonly waiting: number; readonly lost: number };
}

/** Opens the trail: listen with `stream.on('*', (event) => trail.record(event))`. */
export function openTrail(_options: TrailOptions): Trail {
  throw new Error('not built yet');
}
