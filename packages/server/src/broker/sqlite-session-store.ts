import { readRecords } from '../storage/commit-records.ts';
import { type CommitLog, type GroupCommit, openGroupCommit } from '../storage/group-commit.ts';
import { RecentRecords } from '../storage/recent-records.ts';
import type { Message } from './message.ts';
import { readStore } from './read-store.ts';
import { SESSION_MIGRATIONS, SESSION_STATEMENTS, STATEMENT } from './session-schema.ts';
import type { SessionStore, StoredSession, StoredSubscription, StoreListener, StoreVisitor } from './session-store.ts';
import { UnsavedRecords } from './unsaved-records.ts';

/** A session store in one SQLite file, written in batches by a thread of its own. */
export class SqliteSessionStore implements SessionStore {
  readonly #log: CommitLog;
  readonly #messages: RecentRecords;
  readonly #waiting: RecentRecords;

  constructor(log: CommitLog) {
    this.#log = log;
    this.#messages = new RecentRecords(log);
    this.#waiting = new RecentRecords(log);
  }

  get written(): number {
    return this.#log.written;
  }
  get committed(): number {
    return this.#log.committed;
  }
  get failing(): boolean {
    return this.#log.failing;
  }
  get behind(): boolean {
    return this.#log.behind;
  }

  listen(listener: StoreListener): void {
    this.#log.listen({
      committed: () => listener.committed(),
      failing(problem, batches) {
        const unsaved = new UnsavedRecords();
        for (const { memory, length } of batches) {
          readRecords(memory, length, (statement, puts, [first, second]) => {
            if (!puts) return;
            if (statement === STATEMENT.putRetained) unsaved.addRetained(String(first), String(second));
            else if (statement === STATEMENT.putSession || statement === STATEMENT.putSubscription) {
              unsaved.addSession(Number(first));
            }
          });
        }
        listener.failing(problem, unsaved);
      },
      recovered: () => listener.recovered(),
    });
  }

  load(visitor: StoreVisitor): Promise<void> {
    return readStore(this.#log, visitor);
  }

  putSession(session: StoredSession): void {
    const record = this.#log.record(STATEMENT.putSession, true, 2);
    record.number(session.id);
    record.text(JSON.stringify(session, bytesAsText));
  }

  removeSession(id: number): void {
    for (const statement of [STATEMENT.removeSession, STATEMENT.removeSubscriptions, STATEMENT.removeAllReceived]) {
      this.#log.record(statement, false, 1).number(id);
    }
  }

  putSubscription(session: number, subscription: StoredSubscription): void {
    const record = this.#log.record(STATEMENT.putSubscription, true, 3);
    record.number(session);
    record.text(subscription.written);
    record.text(JSON.stringify(subscription));
  }

  removeSubscription(session: number, written: string): void {
    const record = this.#log.record(STATEMENT.removeSubscription, false, 2);
    record.number(session);
    record.text(written);
  }

  putReceived(session: number, packetId: number): void {
    const record = this.#log.record(STATEMENT.putReceived, true, 2);
    record.number(session);
    record.number(packetId);
  }

  removeReceived(session: number, packetId: number): void {
    const record = this.#log.record(STATEMENT.removeReceived, false, 2);
    record.number(session);
    record.number(packetId);
  }

  putMessage(id: number, message: Message): void {
    this.#messages.note(id);
    const record = this.#log.record(STATEMENT.putMessage, true, 7);
    record.number(id);
    record.text(message.topic);
    record.bytes(message.body);
    record.number(message.payloadStart);
    record.number(message.qos);
    record.number(message.retain ? 1 : 0);
    record.number(message.expiresAt);
  }

  removeMessage(id: number): void {
    if (!this.#messages.takeBack(id)) this.#log.record(STATEMENT.removeMessage, false, 1).number(id);
  }

  putWaiting(
    position: number,
    session: number,
    message: number,
    flags: number,
    identifiers: Buffer | undefined,
    packetId: number,
    state: number,
  ): void {
    this.#waiting.note(position);
    const record = this.#log.record(STATEMENT.putWaiting, true, 7);
    record.number(position);
    record.number(session);
    record.number(message);
    record.number(flags);
    if (identifiers === undefined) record.nothing();
    else record.bytes(identifiers);
    record.number(packetId);
    record.number(state);
  }

  sendWaiting(position: number, packetId: number, state: number): void {
    const record = this.#log.record(STATEMENT.sendWaiting, false, 3);
    record.number(packetId);
    record.number(state);
    record.number(position);
  }

  releaseWaiting(position: number, state: number): void {
    const record = this.#log.record(STATEMENT.releaseWaiting, false, 2);
    record.number(state);
    record.number(position);
  }

  moveWaiting(position: number, message: number): void {
    const record = this.#log.record(STATEMENT.moveWaiting, true, 2);
    record.number(message);
    record.number(position);
  }

  removeWaiting(position: number): void {
    if (!this.#waiting.takeBack(position)) this.#log.record(STATEMENT.removeWaiting, false, 1).number(position);
  }

  putRetained(organisation: string, message: Message): void {
    const record = this.#log.record(STATEMENT.putRetained, true, 6);
    record.text(organisation);
    record.text(message.topic);
    record.bytes(message.body);
    record.number(message.payloadStart);
    record.number(message.qos);
    record.number(message.expiresAt);
  }

  removeRetained(organisation: string, topic: string): void {
    const record = this.#log.record(STATEMENT.removeRetained, false, 2);
    record.text(organisation);
    record.text(topic);
  }

  flush(): Promise<void> {
    return this.#log.flush();
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

/** The session store of the process that has the file, which writes for others too. */
export class SessionDatabase extends SqliteSessionStore {
  readonly #file: GroupCommit;

  constructor(file: GroupCommit) {
    super(file);
    this.#file = file;
  }

  /** Bounds the file, in pages of 4096 bytes. */
  limit(pages: number): void {
    this.#file.limit(pages);
  }

  /** Writes what another process has recorded, as {@link GroupCommit.append} does. */
  append(records: Uint8Array, done: () => void): void {
    const memory = new ArrayBuffer(records.length);
    new Uint8Array(memory).set(records);
    this.#file.append({ memory, length: records.length }, done);
  }

  follow(follower: Parameters<GroupCommit['follow']>[0]): () => void {
    return this.#file.follow(follower);
  }

  /** The rows of a query. */
  async rows(sql: string): Promise<readonly Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    await this.#file.read(sql, (row) => found.push(row));
    return found;
  }
}

/**
 * Opens, or makes, the session store at `path`. Rejects with `data_directory_unusable`, `data_directory_in_use`, `database_damaged` or
 * `database_too_new`. `retryPause`: milliseconds between two attempts while the disk fails.
 */
export async function openSessionStore(
  path: string,
  options: { readonly retryPause?: number } = {},
): Promise<SessionDatabase> {
  const plan = { path, migrations: SESSION_MIGRATIONS, statements: SESSION_STATEMENTS };
  return new SessionDatabase(await openGroupCommit({ ...plan, ...options }));
}

/** `Buffer` brings its own form for JSON, which is four times as long. */
function bytesAsText(this: unknown, key: string, value: unknown): unknown {
  return key === 'body' || key === 'topicBytes' ? (this as Record<string, Buffer>)[key]?.toString('base64') : value;
}
