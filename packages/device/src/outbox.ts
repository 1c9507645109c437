import type { FileHandle } from 'node:fs/promises';
import { Failure } from '@sallyport/model';
import { type Content, encodeContent, topicLevel } from './content.ts';

/** Where events wait, and how many may. */
export interface OutboxOptions {
  /** Path of the file; made if it is not there, readable by its owner only. One program at a time. */
  readonly file: string;
  /** 10,000 by default. */
  readonly maximumEvents?: number;
  /** Of the file; 16 MiB by default. */
  readonly maximumBytes?: number;
}

/** An event that waits. */
export interface WaitingEvent {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Events that were sent, before the file is written anew without them. */
const REWRITE_AFTER = 1_000;
const SENT = Buffer.from('-\n');

/**
 * Events that wait on disk until the server owns them. What `queueEvent` has resolved is sent, in its order, though the program be killed
 * or the power fail; one that was on its way at such a moment may be sent twice.
 *
 * The file has a line for each event, and a line `-` for each, from the first on, that the server has. A last line that was cut off
 * was never promised, and is dropped.
 */
export class Outbox {
  readonly #fs: typeof import('node:fs/promises');
  readonly #options: Required<OutboxOptions>;
  #file: FileHandle;
  #size: number;
  readonly #waiting: WaitingEvent[];
  #sent = 0;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<() => void>();

  private constructor(
    fs: typeof import('node:fs/promises'),
    options: Required<OutboxOptions>,
    file: FileHandle,
    size: number,
    waiting: WaitingEvent[],
  ) {
    this.#fs = fs;
    this.#options = options;
    this.#file = file;
    this.#size = size;
    this.#waiting = waiting;
  }

  /**
   * Opens the file, or makes it.
   *
   * @throws Failure `data_directory_unusable` if it cannot be read or written, or is no outbox
   */
  static async open({ file: path, maximumEvents = 10_000, maximumBytes = 16 * 1024 * 1024 }: OutboxOptions) {
    // Loaded on demand: a browser has no file system.
    const fs = await import('node:fs/promises');
    try {
      const text = await fs.readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      const waiting = read(whole);
      const file = await fs.open(path, 'a', 0o600);
      await file.truncate(Buffer.byteLength(whole));
      await file.sync();
      const options = { file: path, maximumEvents, maximumBytes };
      return new Outbox(fs, options, file, Buffer.byteLength(whole), waiting);
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw unusable(path, cause);
    }
  }

  /** How many events wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** The event that is to be sent next. */
  get first(): WaitingEvent | undefined {
    return this.#waiting[0];
  }

  /**
   * Puts an event on disk; resolves when it is safe there.
   *
   * @throws Failure `queue_full` if as many wait as may, `data_directory_unusable` if the disk does not take it
   */
  async queueEvent(name: string, payload: Content, format?: string): Promise<void> {
    const encoded = encodeContent(payload, format);
    const topic = `iot-2/evt/${topicLevel('name of an event', name)}/fmt/${topicLevel('format', encoded.format)}`;
    const line = Buffer.from(`${JSON.stringify([topic, Buffer.from(encoded.bytes).toString('base64')])}\n`);
    await this.#inTurn(async () => {
      const { maximumEvents, maximumBytes, file } = this.#options;
      if (this.#waiting.length >= maximumEvents || this.#size + line.length > maximumBytes) {
        throw new Failure('queue_full', `${this.#waiting.length} events wait already in ${file}.`);
      }
      await this.#append(line, true);
      this.#waiting.push({ topic, payload: encoded.bytes });
    });
    for (const listener of this.#listeners) listener();
  }

  /** The server has the first event: it is not sent again, unless the program ends before this has resolved. */
  async shift(): Promise<void> {
    await this.#inTurn(async () => {
      this.#waiting.shift();
      this.#sent++;
      if (this.#waiting.length === 0) await this.#empty();
      else if (this.#sent >= REWRITE_AFTER) await this.#rewrite();
      else await this.#append(SENT, false);
    });
  }

  /** Calls the listener after each event that was queued. The answer ends it. */
  onQueued(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets go of the file; what waits stays in it. */
  async close(): Promise<void> {
    await this.#inTurn(() => this.#file.close());
  }

  /** One after the other, and a failed one does not stop those behind it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #append(bytes: Uint8Array, safe: boolean): Promise<void> {
    try {
      await this.#file.appendFile(bytes);
      if (safe) await this.#file.datasync();
      this.#size += bytes.length;
    } catch (cause) {
      // Half a line must not be the beginning of the next one.
      await this.#file.truncate(this.#size).catch(() => {});
      throw unusable(this.#options.file, cause);
    }
  }

  async #empty(): Promise<void> {
    await this.#file.truncate(0);
    this.#size = 0;
    this.#sent = 0;
  }

  /** Takes the place of the file at once, so that there is always one that is whole. */
  async #rewrite(): Promise<void> {
    const { file: path } = this.#options;
    const lines = this.#waiting.map(({ topic, payload }) =>
      JSON.stringify([topic, Buffer.from(payload).toString('base64')]),
    );
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    try {
      const next = await this.#fs.open(`${path}.new`, 'w', 0o600);
      await next.writeFile(bytes);
      await next.sync();
      await next.close();
      await this.#fs.rename(`${path}.new`, path);
      const before = this.#file;
      this.#file = await this.#fs.open(path, 'a', 0o600);
      await before.close();
      this.#size = bytes.length;
      this.#sent = 0;
    } catch (cause) {
      throw unusable(path, cause);
    }
  }
}

function read(text: string): WaitingEvent[] {
  const waiting: WaitingEvent[] = [];
  let sent = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '-') sent++;
    else waiting.push(eventOf(line));
  }
  return waiting.slice(sent);
}

function eventOf(line: string): WaitingEvent {
  try {
    const [topic, payload] = JSON.parse(line) as [string, string];
    if (typeof topic === 'string' && typeof payload === 'string') {
      return { topic, payload: Uint8Array.from(Buffer.from(payload, 'base64')) };
    }
  } catch {
    // Said below, in words that help.
  }
  throw new Failure('data_directory_unusable', 'The file of the outbox holds a line that is no event.', {
    cure: 'Name another file, or move this one away: what waits in it would be lost.',
  });
}

function unusable(path: string, cause: unknown): Failure {
  return new Failure('data_directory_unusable', `The outbox ${path} cannot be used: ${(cause as Error).message}`, {
    cause,
    cure: 'Give the program a folder that it may write to, and room on the disk.',
  });
}
