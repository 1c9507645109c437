import { Worker } from 'node:worker_threads';
import { Failure } from '@sallyport/model';
import { CommitRecords, FIRST_SIZE } from './commit-records.ts';
import type { Batch, FromWorker, GroupCommitPlan, ToWorker } from './group-commit-messages.ts';

export interface GroupCommitOptions extends GroupCommitPlan {
  /** Milliseconds between two attempts while the disk fails. */
  readonly retryPause?: number;
}

/** Where records are written, whichever process has the database. */
export type CommitLog = Pick<
  GroupCommit,
  | 'written'
  | 'committed'
  | 'failing'
  | 'behind'
  | 'batch'
  | 'offset'
  | 'takeBack'
  | 'record'
  | 'read'
  | 'listen'
  | 'flush'
  | 'close'
>;

/** Told what becomes of records. */
export interface GroupCommitListener {
  committed(): void;
  /** What puts of `batches` and has no number up to `committed` is not on disk, and is not going to be. */
  failing(problem: string, batches: readonly Batch[]): void;
  recovered(): void;
}

const RETRY_PAUSE = 1000;
/** Buffers that are kept for the next batches, and how large at most. */
const KEPT_BUFFERS = 2;
const KEPT_SIZE = 4 * 1024 * 1024;
const BEHIND = 32 * 1024 * 1024;

/**
 * A database that is written in batches by a thread of its own. Records gather while a batch is on its way to the disk, and go when that
 * one is committed: the slower the disk, the larger the batches. The event loop never waits.
 */
export class GroupCommit {
  /** Number of the last record. */
  written = 0;
  /** All records up to this number are on disk, or were told as failed. */
  committed = 0;
  failing = false;
  readonly #worker: Worker;
  readonly #retryPause: number;
  #listener: GroupCommitListener = { committed() {}, failing() {}, recovered() {} };
  readonly #followers = new Set<Pick<GroupCommitListener, 'recovered'> & { failing(problem: string): void }>();
  #records = new CommitRecords();
  /** Batches of others, to go with the next commit, and what is to be called when it is done. */
  #others: { readonly batch: Batch; readonly done: () => void }[] = [];
  #othersSent: (() => void)[] = [];
  #spare: ArrayBuffer[] = [];
  #scheduled = false;
  #busy = false;
  #sent = 0;
  #batch = 0;
  /** What a lean commit has to repeat. */
  #held: Batch[] = [];
  #retry: NodeJS.Timeout | undefined;
  #rows: ((message: Extract<FromWorker, { type: 'rows' }>) => void) | undefined;
  #reading: Promise<void> = Promise.resolve();
  #settled: (() => void)[] = [];
  #closed: (() => void) | undefined;
  #ended = false;
  readonly #send = (): void => {
    this.#scheduled = false;
    this.#next();
  };

  constructor(worker: Worker, retryPause: number) {
    this.#worker = worker;
    this.#retryPause = retryPause;
    worker.on('message', (message: FromWorker) => this.#take(message));
    worker.on('error', (error) => this.#lost(error.message));
    worker.on('exit', () => this.#lost('The thread that writes the database has ended.'));
  }

  listen(listener: GroupCommitListener): void {
    this.#listener = listener;
  }

  /** Told when the disk begins to fail and when it takes records again, besides the listener; the answer ends it. */
  follow(follower: Pick<GroupCommitListener, 'recovered'> & { failing(problem: string): void }): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /**
   * Takes records that another process has gathered; batches of one source keep their order. `done` is called when they are on disk, or,
   * while the disk fails, when what removes of them is.
   */
  append(batch: Batch, done: () => void): void {
    this.written++;
    this.#others.push({ batch, done });
    this.#wake();
  }

  /** So much waits for the disk that what can wait elsewhere should. */
  get behind(): boolean {
    return this.#records.length > BEHIND;
  }

  /** Number of the batch that is gathering: what was recorded in it can still be taken back. */
  get batch(): number {
    return this.#batch;
  }

  /** Where the next record of this batch begins. */
  get offset(): number {
    return this.#records.length;
  }

  /** Takes back a record of the batch that is gathering: it is as if it had never been written. */
  takeBack(offset: number): void {
    this.#records.takeBack(offset);
  }

  /** Begins a record of `count` values, which are to be written to the answer in the same turn. `puts`: it needs room on the disk. */
  record(statement: number, puts: boolean, count: number): CommitRecords {
    this.written++;
    this.#wake();
    this.#records.begin(statement, puts, count);
    return this.#records;
  }

  /** Shows every row that a query answers. Queries are answered one after the other. */
  read(sql: string, visit: (row: Record<string, unknown>) => void): Promise<void> {
    const reading = this.#reading.then(() => this.#read(sql, visit));
    this.#reading = reading.catch(() => {});
    return reading;
  }

  async #read(sql: string, visit: (row: Record<string, unknown>) => void): Promise<void> {
    let begin: { readonly sql?: string } = { sql };
    for (;;) {
      const asked = begin;
      const page = await new Promise<Extract<FromWorker, { type: 'rows' }>>((resolve) => {
        this.#rows = resolve;
        this.#post({ type: 'read', ...asked });
      });
      for (const row of page.rows) visit(row);
      if (page.last) return;
      begin = {};
    }
  }

  /** Bounds the file, in pages of 4096 bytes. A smaller bound than its present size lets it grow no more. */
  limit(pages: number): void {
    this.#post({ type: 'limit', pages });
  }

  /** Resolves when everything that was written is on disk, or cannot get there at the moment. */
  async flush(): Promise<void> {
    if (this.#settledNow) return;
    await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    await this.flush();
    clearTimeout(this.#retry);
    this.#ended = true;
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#post({ type: 'close' });
    });
    await this.#worker.terminate();
  }

  get #settledNow(): boolean {
    return this.#ended || (this.failing ? !this.#busy : this.committed === this.written);
  }

  #wake(): void {
    if (this.#scheduled || this.#busy || this.failing) return;
    this.#scheduled = true;
    setImmediate(this.#send);
  }

  #next(): void {
    if (this.#busy || this.failing || !this.#gathered) return;
    this.#commit(this.#takeAll(), false);
  }

  get #gathered(): boolean {
    return this.#records.length > 0 || this.#others.length > 0;
  }

  /** What others have gathered, and what was gathered here. */
  #takeAll(): Batch[] {
    const others = this.#others;
    this.#others = [];
    for (const { done } of others) this.#othersSent.push(done);
    return [...others.map(({ batch }) => batch), this.#takeRecords()];
  }

  #takeRecords(): Batch {
    const records = this.#records;
    this.#records = new CommitRecords(this.#spare.pop());
    this.#sent = this.written;
    this.#batch++;
    return { memory: records.memory, length: records.length };
  }

  #commit(batches: readonly Batch[], lean: boolean): void {
    this.#busy = true;
    this.#post(
      { type: 'commit', batches, lean },
      batches.map(({ memory }) => memory),
    );
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #take(message: FromWorker): void {
    switch (message.type) {
      case 'done':
        this.#busy = false;
        if (this.failing) this.#retried(message);
        else if (message.problem === undefined) this.#done(message.batches);
        else this.#fail(message.problem, message.batches);
        this.#tellSettled();
        return;
      case 'rows':
        this.#rows?.(message);
        return;
      case 'closed':
        this.#closed?.();
        return;
      default:
    }
  }

  #done(batches: readonly Batch[]): void {
    this.committed = this.#sent;
    for (const { memory } of batches) {
      const { byteLength } = memory;
      const keeps = this.#spare.length < KEPT_BUFFERS && byteLength >= FIRST_SIZE && byteLength <= KEPT_SIZE;
      if (keeps) this.#spare.push(memory);
    }
    // The next batch is on its way before anybody is told of the last one.
    const othersDone = this.#takeOthersSent();
    this.#next();
    this.#listener.committed();
    for (const done of othersDone) done();
  }

  #takeOthersSent(): readonly (() => void)[] {
    const sent = this.#othersSent;
    this.#othersSent = [];
    return sent;
  }

  #fail(problem: string, batches: readonly Batch[]): void {
    this.failing = true;
    this.#held = [...batches, ...this.#takeAll()];
    this.#listener.failing(problem, this.#held);
    for (const follower of this.#followers) follower.failing(problem);
    // What removes may still be possible, and makes room.
    this.#tryLean();
  }

  #tryLean(): void {
    if (this.#busy || this.#ended) return;
    if (this.#gathered) this.#held.push(...this.#takeAll());
    this.#commit(this.#held, true);
    this.#held = [];
  }

  #retried({ problem, batches, room }: Extract<FromWorker, { type: 'done' }>): void {
    if (problem !== undefined) this.#held = [...batches];
    else {
      this.committed = this.#sent;
      this.#listener.committed();
      for (const done of this.#takeOthersSent()) done();
    }
    if (room === true) {
      this.failing = false;
      this.#listener.recovered();
      for (const follower of this.#followers) follower.recovered();
      this.#next();
      return;
    }
    this.#retry = setTimeout(() => this.#tryLean(), this.#retryPause);
    this.#retry.unref();
  }

  #lost(problem: string): void {
    if (this.#ended) {
      this.#closed?.();
      return;
    }
    this.#ended = true;
    this.failing = true;
    this.#listener.failing(problem, []);
    for (const follower of this.#followers) follower.failing(problem);
    this.#tellSettled();
  }

  #tellSettled(): void {
    if (!this.#settledNow) return;
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }
}

/**
 * Opens, or makes, a database that is written in batches. Rejects with `data_directory_unusable`, `data_directory_in_use`,
 * `database_damaged` or `database_too_new`.
 */
export async function openGroupCommit({ retryPause = RETRY_PAUSE, ...plan }: GroupCommitOptions): Promise<GroupCommit> {
  const { path, migrations, statements } = plan;
  const workerData: GroupCommitPlan = { path, migrations, statements };
  // Without the flags of the process: they say how its own modules are found.
  const worker = new Worker(workerFile(), { workerData, execArgv: [] });
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: FromWorker) => {
      worker.off('error', reject);
      if (message.type === 'opened') resolve();
      else if (message.type === 'unopened') reject(failureOf(message));
    });
  });
  return new GroupCommit(worker, retryPause);
}

function failureOf({ failure, problem }: Extract<FromWorker, { type: 'unopened' }>): Error {
  if (failure === undefined) return new Error(problem);
  return new Failure(failure.code, failure.message, { cure: failure.cure });
}

/** A thread runs compiled code only: where the sources themselves run, as in tests, it is that of the last build. */
function workerFile(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./group-commit-worker.js', here);
  return new URL(`${here.slice(0, here.lastIndexOf('/src/'))}/dist/storage/group-commit-worker.js`);
}
