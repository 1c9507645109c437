import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** An open database that this process alone writes. Queries reject with the failure `store_unavailable` when the disk does not do its part. */
export interface Database {
  readonly path: string;
  /** Which binding is used: `node:sqlite` or `better-sqlite3`. */
  readonly driver: string;
  readonly query: Kysely<Tables>;
  /** Runs `work` in one transaction: all of it is on disk when this resolves, none of it when this rejects. */
  transaction<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Waits for what is under way, writes the log back into the file and lets others in. */
  close(): Promise<void>;
}

/**
 * Opens, or makes, a database file.
 *
 * Rejects with `data_directory_unusable` (cannot be read or written), `data_directory_in_use` (another process has it),
 * `database_damaged` (not a database, or fails its integrity check) or `database_too_new`.
 */
export async function openDatabase(_path: string): Promise<Database> {
  throw new Error('not built yet');
}
