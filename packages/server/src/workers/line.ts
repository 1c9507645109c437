import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

/** What can be asked over a line, by name. Arguments and answers are copied: no functions, and of classes only those that structured clone knows. */
// biome-ignore lint/suspicious/noExplicitAny: the calls of a line say what they take and give.
type Calls = { readonly [name: string]: (...given: any[]) => unknown };

type Given<T extends Calls, K extends keyof T> = Parameters<T[K]>;
type Answer<T extends Calls, K extends keyof T> = Awaited<ReturnType<T[K]>>;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** `[0, name, given]` is told, `[id, name, given]` asked, `[id, value]` answered, `[id, undefined, problem]` answered with a failure. */
type Word =
  | readonly [id: number, name: string, given: readonly unknown[]]
  | readonly ['answer', id: number, value: unknown]
  | readonly ['broken', id: number, problem: string];

const HEAD = 5;
const WORDS = 0;
const BYTES = 1;
/** A frame that claims more is not of us. */
const LARGEST = 1024 * 1024 * 1024;

/**
 * A line between two processes of the server, over an inherited socket that nobody else can reach. What is said in one turn of the event
 * loop goes in one piece, and everything arrives in the order in which it was said. When the line breaks, what was asked is rejected.
 */
export class Line<Theirs extends Calls, Mine extends Calls> {
  readonly #stream: Duplex;
  #calls: Mine | undefined;
  #words: Word[] = [];
  #scheduled = false;
  #last = 0;
  readonly #waiting = new Map<number, Waiting>();
  #held: Buffer[] = [];
  #heldLength = 0;
  #onBytes: (bytes: Buffer) => void = () => {};
  #onEnd: () => void = () => {};
  #ended = false;
  readonly #send = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', () => this.#end());
    stream.on('close', () => this.#end());
    stream.on('end', () => this.#end());
  }

  /** Begins to listen. */
  serve(calls: Mine, more: { readonly onBytes?: (bytes: Buffer) => void; readonly onEnd?: () => void } = {}): void {
    this.#calls = calls;
    if (more.onBytes) this.#onBytes = more.onBytes;
    if (more.onEnd) this.#onEnd = more.onEnd;
    this.#stream.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Says something to which no answer is waited for. */
  tell<K extends keyof Theirs & string>(name: K, ...given: Given<Theirs, K>): void {
    this.#say([0, name, given]);
  }

  /** Rejects if the other side fails, or the line breaks. */
  ask<K extends keyof Theirs & string>(name: K, ...given: Given<Theirs, K>): Promise<Answer<Theirs, K>> {
    if (this.#ended) return Promise.reject(new LineBroken());
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#say([id, name, given]);
    });
  }

  /** Sends bytes as they are, after all that was said before. They must not be changed any more. */
  bytes(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#flush();
    this.#frame(BYTES, bytes);
  }

  close(): void {
    this.#flush();
    this.#stream.destroy();
    this.#end();
  }

  #say(word: Word): void {
    if (this.#ended) return;
    this.#words.push(word);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#send);
  }

  #flush(): void {
    if (this.#words.length === 0 || this.#ended) return;
    const words = this.#words;
    this.#words = [];
    try {
      this.#frame(WORDS, serialize(words));
    } catch {
      for (const word of words) this.#sayAlone(word);
    }
  }

  /** One thing that cannot be copied must not keep back all others. */
  #sayAlone(word: Word): void {
    try {
      this.#frame(WORDS, serialize([word]));
    } catch (error) {
      const [first, id] = word;
      const problem = String(error);
      if (first === 'answer') this.#frame(WORDS, serialize([['broken', id, problem]]));
      else if (typeof first === 'number' && first > 0) this.#reject(first, problem);
      else this.#onProblem(String(word[1]), problem);
    }
  }

  #frame(kind: number, body: Uint8Array): void {
    const head = Buffer.allocUnsafe(HEAD);
    head.writeUInt32LE(body.length);
    head[4] = kind;
    this.#stream.cork();
    this.#stream.write(head);
    this.#stream.write(body);
    this.#stream.uncork();
  }

  #take(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldLength += chunk.length;
    while (this.#heldLength >= HEAD) {
      const first = this.#held[0]!;
      if (first.length < HEAD) this.#held = [Buffer.concat(this.#held)];
      const head = this.#held[0]!;
      const length = head.readUInt32LE(0);
      if (length > LARGEST) {
        this.close();
        return;
      }
      if (this.#heldLength < HEAD + length) return;
      const whole = this.#held.length === 1 ? head : Buffer.concat(this.#held);
      const rest = whole.subarray(HEAD + length);
      this.#held = rest.length === 0 ? [] : [rest];
      this.#heldLength = rest.length;
      const body = whole.subarray(HEAD, HEAD + length);
      if (whole[4] === BYTES) this.#onBytes(body);
      else for (const word of deserialize(body) as Word[]) this.#hear(word);
    }
  }

  #hear(word: Word): void {
    const [first] = word;
    if (first === 'answer' || first === 'broken') {
      const [, id, value] = word as readonly [string, number, unknown];
      if (first === 'broken') this.#reject(id, String(value));
      else {
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        waiting?.resolve(value);
      }
      return;
    }
    const [id, name, given] = word as readonly [number, string, readonly unknown[]];
    void this.#answer(id, name, given);
  }

  /** Begins within the turn, so that what was said first takes effect first. */
  async #answer(id: number, name: string, given: readonly unknown[]): Promise<void> {
    try {
      const call = this.#calls?.[name];
      if (call === undefined) throw new TypeError(`no call ${name}`);
      const value = call(...given);
      if (id === 0) {
        if (value instanceof Promise) await value;
        return;
      }
      this.#say(['answer', id, value instanceof Promise ? await value : value]);
    } catch (error) {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      if (id !== 0) this.#say(['broken', id, problem]);
      else this.#onProblem(name, problem);
    }
  }

  #reject(id: number, problem: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.reject(new Error(problem));
  }

  #onProblem(name: string, problem: string): void {
    process.emitWarning(`${name}: ${problem}`);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#words = [];
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new LineBroken());
    this.#onEnd();
  }
}

/** The process at the other end has gone. */
export class LineBroken extends Error {
  constructor() {
    super('The line to the other process has ended.');
  }
}
