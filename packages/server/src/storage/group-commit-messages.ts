import type { FailureCode } from '@sallyport/model';

/** What a database is made of, given to the thread that works on it. */
export interface GroupCommitPlan {
  readonly path: string;
  /** The n-th leads to schema version n. */
  readonly migrations: readonly string[];
  /** The statements that records name, by their numbers. */
  readonly statements: readonly string[];
}

/** Records on their way to the disk. */
export interface Batch {
  readonly memory: ArrayBuffer;
  readonly length: number;
}

export type ToWorker =
  /** All of it in one transaction. `lean`: without what puts, and then tries whether there is room again. */
  | { readonly type: 'commit'; readonly batches: readonly Batch[]; readonly lean: boolean }
  /** The next rows of a query; `sql` begins one. */
  | { readonly type: 'read'; readonly sql?: string }
  /** Bound on the size of the file, in pages. */
  | { readonly type: 'limit'; readonly pages: number }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'opened'; readonly driver: string }
  | {
      readonly type: 'unopened';
      readonly failure: { readonly code: FailureCode; readonly message: string; readonly cure: string } | undefined;
      readonly problem: string;
    }
  | {
      readonly type: 'done';
      readonly batches: readonly Batch[];
      /** Why nothing of it is on disk. */
      readonly problem?: string;
      /** After a lean commit: there is room again. */
      readonly room?: boolean;
    }
  | { readonly type: 'rows'; readonly rows: readonly Record<string, unknown>[]; readonly last: boolean }
  | { readonly type: 'closed' };
