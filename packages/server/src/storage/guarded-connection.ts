import { Failure } from '@sallyport/model';
import type { SqliteStatement } from 'kysely';
import type { Connection } from './binding.ts';
import { sqliteTrouble } from './sqlite-trouble.ts';

/** Statements that are kept prepared; preparing costs more than most of our queries. */
const KEPT_STATEMENTS = 200;

/**
 * Turns what the disk does to a query into the failure `store_unavailable`, and keeps statements prepared. Errors that are our own
 * mistakes (syntax, constraints) stay what they are.
 */
export function guardedConnection(connection: Connection, path: string): Connection {
  const kept = new Map<string, SqliteStatement>();

  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const trouble = sqliteTrouble(error);
      if (trouble === undefined || trouble === 'other' || trouble === 'constraint') throw error;
      throw new Failure('store_unavailable', `${path} could not be read or written: ${(error as Error).message}.`, {
        cause: error,
      });
    }
  };

  const guardStatement = (statement: SqliteStatement): SqliteStatement => ({
    reader: statement.reader,
    all: (values) => guard(() => statement.all(values)),
    run: (values) => guard(() => statement.run(values)),
    iterate: (values) => guard(() => statement.iterate(values)),
  });

  return {
    execute: (sql) => guard(() => connection.execute(sql)),
    close: () => {
      kept.clear();
      connection.close();
    },
    prepare(sql) {
      const known = kept.get(sql);
      if (known) return known;
      const prepared = guardStatement(guard(() => connection.prepare(sql)));
      const statement = sql === 'rollback' ? forgivingRollback(prepared) : prepared;
      if (kept.size >= KEPT_STATEMENTS) {
        const [oldest] = kept.keys();
        if (oldest !== undefined) kept.delete(oldest);
      }
      kept.set(sql, statement);
      return statement;
    },
  };
}

/**
 * SQLite ends a transaction by itself when the disk is full. The rollback that follows then has nothing to do, and its complaint would
 * hide what happened.
 */
function forgivingRollback(statement: SqliteStatement): SqliteStatement {
  return {
    ...statement,
    run(values) {
      try {
        return statement.run(values);
      } catch (error) {
        if (sqliteTrouble(error) === 'other') return { changes: 0, lastInsertRowid: 0 };
        throw error;
      }
    },
  };
}
