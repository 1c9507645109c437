import { Failure } from '@sallyport/model';
import { Kysely, SqliteDialect, type Transaction } from 'kysely';
import { type Binding, sqliteBinding } from './binding.ts';
import { guardedConnection } from './guarded-connection.ts';
import { MIGRATIONS, type Migration, migrate } from './migrations.ts';
import { openConnection, openingFailure } from './open-connection.ts';
import type { Tables } from './tables.ts';

/** An open database that this process alone writes. Queries reject with the failure `store_unavailable` when the disk does not do its part. */
export interface Database {
  readonly path: string;
  /** Which binding is used: `node:sqlite` or `better-sqlite3`. */
  readonly driver: string;
  readonly query: Kysely<Tables>;
  /** Runs `work` in one transaction: all of it is on disk when this resolves, none of it when this rejects. */
  transaction<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Waits for what is under way, writes the log back into the file and lets others in. A second call changes nothing. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** The binding of this runtime if left out. */
  readonly binding?: Binding;
  readonly migrations?: readonly Migration[];
}

/**
 * Opens, or makes, a database file; what it makes is readable for its owner only.
 *
 * Rejects with `data_directory_unusable` (cannot be read or written), `data_directory_in_use` (another process has it),
 * `database_damaged` (not a database, or fails its integrity check) or `database_too_new`.
 */
export async function openDatabase(path: string, options: OpenOptions = {}): Promise<Database> {
  const binding = options.binding ?? (await sqliteBinding());
  const migrations = options.migrations ?? MIGRATIONS;
  const opened = openConnection(binding, path);
  try {
    const guarded = guardedConnection(opened.connection, path);
    const query = new Kysely<Tables>({ dialect: new SqliteDialect({ database: guarded }) });
    const found = await migrate(query as unknown as Kysely<unknown>, migrations);
    if (found > migrations.length) {
      throw new Failure(
        'database_too_new',
        `${path} has schema version ${found}; this version of Sallyport knows ${migrations.length}.`,
      );
    }
    const end = async () => {
      // There is one connection, so whoever gets it is behind everything that is under way.
      await query.connection().execute(async () => {});
      await query.destroy();
      opened.unlock();
    };
    let ended: Promise<void> | undefined;
    return {
      path,
      driver: binding.name,
      query,
      transaction: (work) => query.transaction().execute(work),
      close() {
        ended ??= end();
        return ended;
      },
    };
  } catch (error) {
    opened.release();
    throw openingFailure(error, path);
  }
}
