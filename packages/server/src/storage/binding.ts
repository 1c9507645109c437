import { getBuiltinModule } from 'node:process';
import { Failure } from '@sallyport/model';
import type { SqliteDatabase } from 'kysely';

/** What we ask of an SQLite library: the smallest interface that Kysely's dialect works on, and two calls of our own. */
export interface Connection extends SqliteDatabase {
  /** Runs statements that answer nothing. */
  execute(sql: string): void;
}

/** One SQLite library. */
export interface Binding {
  readonly name: 'node:sqlite' | 'better-sqlite3';
  /** Throws what the library throws. `timeout` is how many milliseconds a lock of another connection is waited for. */
  open(path: string, timeout: number): Connection;
}

/** The binding of this runtime: its own if it has one, else the native package. */
export async function sqliteBinding(): Promise<Binding> {
  return nodeSqlite() ?? (await betterSqlite3());
}

/** The runtime's own SQLite; undefined if it has none, or one so early that it cannot say whether a statement answers rows. */
export function nodeSqlite(): Binding | undefined {
  const module = getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
  if (typeof module?.StatementSync.prototype.columns !== 'function') return undefined;
  return {
    name: 'node:sqlite',
    open(path, timeout) {
      const database = new module.DatabaseSync(path, { timeout });
      return {
        execute: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare(sql) {
          const statement = database.prepare(sql);
          type Values = Parameters<typeof statement.all>;
          return {
            reader: statement.columns().length > 0,
            all: (values) => statement.all(...(values as Values)),
            run: (values) => statement.run(...(values as Values)),
            iterate: (values) => statement.iterate(...(values as Values)),
          };
        },
      };
    },
  };
}

/** The native package, for runtimes without SQLite of their own. */
export async function betterSqlite3(): Promise<Binding> {
  const Library = await loadBetterSqlite3();
  return {
    name: 'better-sqlite3',
    open(path, timeout) {
      const database = new Library(path, { timeout });
      return {
        execute: (sql) => void database.exec(sql),
        close: () => void database.close(),
        prepare(sql) {
          const statement = database.prepare(sql);
          return {
            reader: statement.reader,
            all: (values) => statement.all(...values),
            run: (values) => statement.run(...values),
            iterate: (values) => statement.iterate(...values),
          };
        },
      };
    },
  };
}

async function loadBetterSqlite3() {
  try {
    const { default: Library } = await import('better-sqlite3');
    // The native part is loaded with the first database, and fails if it was built for another Node.js.
    new Library(':memory:').close();
    return Library;
  } catch (cause) {
    throw new Failure(
      'store_unavailable',
      'This Node.js has no SQLite of its own and better-sqlite3 cannot be loaded.',
      {
        cause,
        cure: 'Run Sallyport with Node.js 24 or later, or run `npm install` again so that better-sqlite3 is built for this Node.js.',
      },
    );
  }
}
