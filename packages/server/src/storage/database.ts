import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Failure } from '@sallyport/model';
import { Kysely, SqliteDialect, type Transaction } from 'kysely';
import { type Binding, type Connection, sqliteBinding } from './binding.ts';
import { takeExclusiveLock } from './exclusive-lock.ts';
import { guardedConnection } from './guarded-connection.ts';
import { MIGRATIONS, type Migration, migrate } from './migrations.ts';
import { sqliteTrouble } from './sqlite-trouble.ts';
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

/** Backup programs may hold a read lock for a moment. */
const BUSY_TIMEOUT = 5000;

/**
 * Opens, or makes, a database file; what it makes is readable for its owner only.
 *
 * Rejects with `data_directory_unusable` (cannot be read or written), `data_directory_in_use` (another process has it),
 * `database_damaged` (not a database, or fails its integrity check) or `database_too_new`.
 */
export async function openDatabase(path: string, options: OpenOptions = {}): Promise<Database> {
  const binding = options.binding ?? (await sqliteBinding());
  const migrations = options.migrations ?? MIGRATIONS;
  const undo: (() => void)[] = [];
  try {
    prepareFile(path);
    const lock = takeExclusiveLock(binding, `${path}-lock`, path);
    undo.push(() => lock.release());
    const connection = binding.open(path, BUSY_TIMEOUT);
    undo.push(() => connection.close());
    configure(connection);
    check(connection, path);

    const guarded = guardedConnection(connection, path);
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
      lock.release();
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
    for (const step of undo.reverse()) step();
    throw openingFailure(error, path);
  }
}

function prepareFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its log and its shared memory the mode of the database; so it must be right before it is opened.
  closeSync(openSync(path, 'a', 0o600));
  closeSync(openSync(`${path}-lock`, 'a', 0o600));
  chmodSync(path, 0o600);
}

function configure(connection: Connection): void {
  for (const setting of ['journal_mode = wal', 'synchronous = full', 'foreign_keys = on', 'trusted_schema = off']) {
    connection.execute(`pragma ${setting}`);
  }
}

function check(connection: Connection, path: string): void {
  const rows = connection.prepare('pragma quick_check(5)').all([]) as { readonly quick_check: string }[];
  const problems = rows.map((row) => row.quick_check).filter((text) => text !== 'ok');
  if (problems.length > 0) throw damaged(path, problems.join('; '));
}

function damaged(path: string, problem: string, cause?: unknown): Failure {
  return new Failure('database_damaged', `The database ${path} is damaged: ${problem}.`, {
    cause,
    cure: `Stop here, move ${path} and the files ${basename(path)}-wal and ${basename(path)}-shm beside it away (keep them for inspection), and put a backup in their place.`,
  });
}

function openingFailure(error: unknown, path: string): unknown {
  if (error instanceof Failure && error.code !== 'store_unavailable') return error;
  const origin = error instanceof Failure ? error.cause : error;
  const problem = origin instanceof Error ? origin.message : String(origin);
  const trouble = sqliteTrouble(origin);
  if (trouble === 'damaged') return damaged(path, problem, origin);
  const fromSystem = origin instanceof Error && typeof (origin as NodeJS.ErrnoException).syscall === 'string';
  if (fromSystem || trouble === 'unusable' || trouble === 'full' || trouble === 'busy') {
    return new Failure('data_directory_unusable', `${path} cannot be opened for writing: ${problem}.`, {
      cause: origin,
    });
  }
  return error;
}
