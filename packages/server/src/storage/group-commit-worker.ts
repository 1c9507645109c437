import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Failure } from '@sallyport/model';
import type { SqliteStatement } from 'kysely';
import { type Connection, sqliteBinding } from './binding.ts';
import { readRecords } from './commit-records.ts';
import type { Batch, FromWorker, GroupCommitPlan, ToWorker } from './group-commit-messages.ts';
import { type OpenConnection, openConnection, openingFailure } from './open-connection.ts';

/** Rows that travel at a time. */
const ROWS = 500;
/** What must fit before the disk is trusted again, in bytes. */
const ROOM = 262_144;
/** Pages of the log after which it is written back; larger than SQLite's own, as each time costs two more syncs. */
const LOG_PAGES = 4000;

/** The thread that works on one database: it alone waits for the disk. */
async function work(port: MessagePort, plan: GroupCommitPlan): Promise<void> {
  let opened: OpenConnection | undefined;
  try {
    const binding = await sqliteBinding();
    opened = openConnection(binding, plan.path);
    const { connection } = opened;
    prepare(connection, plan);
    const statements = plan.statements.map((sql) => connection.prepare(sql));
    let rows: Iterator<unknown> | undefined;
    port.on('message', (message: ToWorker) => {
      switch (message.type) {
        case 'commit':
          tell(port, commit(connection, statements, message.batches, message.lean), message.batches);
          break;
        case 'read': {
          if (message.sql !== undefined) rows = connection.prepare(message.sql).iterate([]);
          tell(port, nextRows(rows));
          break;
        }
        case 'limit':
          connection.execute(`pragma max_page_count = ${message.pages}`);
          break;
        case 'close':
          opened?.release();
          tell(port, { type: 'closed' });
          port.close();
      }
    });
    tell(port, { type: 'opened', driver: binding.name });
  } catch (error) {
    opened?.release();
    const failure = openingFailure(error, plan.path);
    const problem = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
    const known = failure instanceof Failure ? failure : undefined;
    tell(port, {
      type: 'unopened',
      failure: known && { code: known.code, message: known.message, cure: known.cure },
      problem,
    });
    port.close();
  }
}

function tell(port: MessagePort, message: FromWorker, batches: readonly Batch[] = []): void {
  port.postMessage(
    message,
    batches.map(({ memory }) => memory),
  );
}

function prepare(connection: Connection, { path, migrations }: GroupCommitPlan): void {
  const [row] = connection.prepare('pragma user_version').all([]) as { readonly user_version: number }[];
  const version = Number(row?.user_version ?? 0);
  if (version > migrations.length) {
    throw new Failure(
      'database_too_new',
      `${path} has schema version ${version}; this version of Sallyport knows ${migrations.length}.`,
    );
  }
  for (let next = version; next < migrations.length; next++) {
    connection.execute(`begin; ${migrations[next]}; pragma user_version = ${next + 1}; commit`);
  }
  connection.execute(`pragma wal_autocheckpoint = ${LOG_PAGES}`);
  connection.execute('create table if not exists room (bytes blob)');
}

function commit(
  connection: Connection,
  statements: readonly SqliteStatement[],
  batches: readonly Batch[],
  lean: boolean,
): FromWorker {
  const problem = attempt(connection, () => {
    for (const { memory, length } of batches) {
      readRecords(memory, length, (statement, puts, values) => {
        if (!lean || !puts) statements[statement]!.run(values);
      });
    }
  });
  if (problem !== undefined) return { type: 'done', batches, problem };
  return lean ? { type: 'done', batches, room: hasRoom(connection) } : { type: 'done', batches };
}

/** Runs `steps` in a transaction; answers why it could not be committed. */
function attempt(connection: Connection, steps: () => void): string | undefined {
  try {
    connection.execute('begin immediate');
    steps();
    connection.execute('commit');
    return undefined;
  } catch (error) {
    try {
      connection.execute('rollback');
    } catch {
      // A full disk has ended the transaction already.
    }
    return error instanceof Error ? error.message : String(error);
  }
}

function hasRoom(connection: Connection): boolean {
  const tried = attempt(connection, () => {
    connection.prepare(`insert into room values (zeroblob(${ROOM}))`).run([]);
  });
  const emptied = attempt(connection, () => connection.prepare('delete from room').run([]));
  return tried === undefined && emptied === undefined;
}

function nextRows(iterator: Iterator<unknown> | undefined): FromWorker {
  const rows: Record<string, unknown>[] = [];
  while (iterator !== undefined && rows.length < ROWS) {
    const { done, value } = iterator.next();
    if (done === true) return { type: 'rows', rows, last: true };
    rows.push(value as Record<string, unknown>);
  }
  return { type: 'rows', rows, last: iterator === undefined };
}

if (parentPort !== null) void work(parentPort, workerData as GroupCommitPlan);
