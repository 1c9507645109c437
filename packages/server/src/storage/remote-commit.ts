import { CommitRecords } from './commit-records.ts';
import type { CommitLog, GroupCommitListener } from './group-commit.ts';
import type { Batch } from './group-commit-messages.ts';

export interface RemoteCommitOptions {
  /** Takes a batch to the process that has the database; it says `committed` when the batch is on disk. */
  readonly send: (bytes: Uint8Array) => void;
  /** Answers every row of a query. */
  readonly read: (sql: string) => Promise<readonly Record<string, unknown>[]>;
}

const BEHIND = 32 * 1024 * 1024;

/**
 * The log of a database that another process has open. As in that process, records gather while a batch is on its way, so that what comes
 * and goes within one batch never leaves.
 */
export class RemoteCommit implements CommitLog {
  written = 0;
  committed = 0;
  failing = false;
  batch = 0;
  readonly #options: RemoteCommitOptions;
  #listener: GroupCommitListener = { committed() {}, failing() {}, recovered() {} };
  #records = new CommitRecords();
  #onTheWay: Batch | undefined;
  #sent = 0;
  #scheduled = false;
  #lost = false;
  #settled: (() => void)[] = [];
  readonly #send = (): void => {
    this.#scheduled = false;
    this.#next();
  };

  constructor(options: RemoteCommitOptions) {
    this.#options = options;
  }

  listen(listener: GroupCommitListener): void {
    this.#listener = listener;
  }

  get behind(): boolean {
    return this.#records.length > BEHIND;
  }

  get offset(): number {
    return this.#records.length;
  }

  takeBack(offset: number): void {
    this.#records.takeBack(offset);
  }

  record(statement: number, puts: boolean, count: number): CommitRecords {
    this.written++;
    if (!this.#scheduled && this.#onTheWay === undefined) {
      this.#scheduled = true;
      setImmediate(this.#send);
    }
    this.#records.begin(statement, puts, count);
    return this.#records;
  }

  async read(sql: string, visit: (row: Record<string, unknown>) => void): Promise<void> {
    for (const row of await this.#options.read(sql)) visit(row);
  }

  /** The batch that was sent is on disk or, while the disk fails, what removes of it is. */
  tellCommitted(): void {
    this.#onTheWay = undefined;
    this.committed = this.#sent;
    this.#next();
    this.#listener.committed();
    this.#tellSettled();
  }

  tellFailing(problem: string): void {
    this.failing = true;
    const gathering = { memory: this.#records.memory, length: this.#records.length };
    this.#listener.failing(problem, this.#onTheWay === undefined ? [gathering] : [this.#onTheWay, gathering]);
    this.#tellSettled();
  }

  tellRecovered(): void {
    this.failing = false;
    this.#listener.recovered();
  }

  async flush(): Promise<void> {
    if (this.#settledNow) return;
    await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  async close(): Promise<void> {
    await this.flush();
    this.#lost = true;
  }

  get #settledNow(): boolean {
    return this.#lost || this.failing || this.committed === this.written;
  }

  #next(): void {
    if (this.#onTheWay !== undefined || this.#records.length === 0) return;
    const { memory, length } = this.#records;
    this.#records = new CommitRecords();
    this.#sent = this.written;
    this.batch++;
    this.#onTheWay = { memory, length };
    this.#options.send(new Uint8Array(memory, 0, length));
  }

  #tellSettled(): void {
    if (!this.#settledNow) return;
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }
}
