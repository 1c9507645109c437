import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Failure } from '@sallyport/model';
import type { Binding, Connection } from './binding.ts';
import { takeExclusiveLock } from './exclusive-lock.ts';
import { sqliteTrouble } from './sqlite-trouble.ts';

/** Backup programs may hold a read lock for a moment. */
const BUSY_TIMEOUT = 5000;

/** A database file that this process alone writes, configured so that what is committed is on disk, and checked. */
export interface OpenConnection {
  readonly connection: Connection;
  /** Lets others in, when the connection is closed. */
  unlock(): void;
  /** Closes the connection and lets others in. */
  release(): void;
}

/**
 * Opens, or makes, a database file; what it makes is readable for its owner only. Throws `data_directory_unusable`,
 * `data_directory_in_use` or `database_damaged`.
 */
export function openConnection(binding: Binding, path: string): OpenConnection {
  const undo: (() => void)[] = [];
  const release = () => {
    for (let step = undo.pop(); step; step = undo.pop()) step();
  };
  try {
    prepareFile(path);
    const lock = takeExclusiveLock(binding, `${path}-lock`, path);
    undo.push(() => lock.release());
    const connection = binding.open(path, BUSY_TIMEOUT);
    undo.push(() => connection.close());
    configure(connection);
    check(connection, path);
    return { connection, unlock: () => lock.release(), release };
  } catch (error) {
    release();
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

/** The failure that an error during opening is. */
export function openingFailure(error: unknown, path: string): unknown {
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
