import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { HandedOver } from '../listeners/hand-over.ts';
import type { SocketAddresses } from '../listeners/socket-address.ts';
import type { OfficeCalls, WorkerCalls } from './calls.ts';
import { Line } from './line.ts';

/** What a worker says of the connections and ways that were handed to it is kept here; everything else is asked of the office. */
export type OfficeDesk = Omit<OfficeCalls, 'proxied' | 'settled' | 'gone' | 'hasWay'>;

export interface WorkerHandleOptions {
  readonly number: number;
  /** The core that it is to stay on, and the program that sees to it. */
  readonly pin?: { readonly core: number; readonly taskset: string };
  readonly desk: (line: Line<WorkerCalls, OfficeCalls>) => OfficeDesk;
  /** Records for the session store. */
  readonly onRecords: (bytes: Buffer, done: () => void) => void;
  /** Told once, when nothing is left of the process. */
  readonly onEnd: (why: string) => void;
}

interface Handed {
  readonly counted: HandedOver;
  settled: boolean;
}

/** Where the line is inherited, after standard streams and the channel by which sockets are handed over. */
const LINE = 4;
/** What a worker needs of the surroundings: nothing that could be a secret. */
const SURROUNDINGS = ['PATH', 'TZ', 'LANG', 'LC_ALL', 'HOME', 'TMPDIR'] as const;

/** One worker process, as the office has it. */
export class WorkerHandle {
  readonly number: number;
  readonly line: Line<WorkerCalls, OfficeCalls>;
  /** It has begun, and takes connections. */
  serving = false;
  ended = false;
  /** Connections that it had when it ended. */
  connectionsAtEnd = 0;
  readonly #process: ChildProcess;
  readonly #handed = new Map<number, Handed>();
  readonly #onTheirWay = new Set<Socket>();
  readonly #ways = new Map<number, () => void>();
  readonly #end: Promise<void>;
  #last = 0;

  constructor({ number, pin, desk, onRecords, onEnd }: WorkerHandleOptions) {
    this.number = number;
    const program = [...flags(), workerFile()];
    const [file, args] = pin
      ? [pin.taskset, ['-c', String(pin.core), process.execPath, ...program]]
      : [process.execPath, program];
    this.#process = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
      serialization: 'advanced',
      env: Object.fromEntries(SURROUNDINGS.map((name) => [name, process.env[name]])),
    });
    this.line = new Line(this.#process.stdio[LINE] as Duplex);
    this.line.serve(
      {
        ...desk(this.line),
        proxied: (connection, client) => this.#proxied(connection, client),
        settled: (connection) => this.#settle(this.#handed.get(connection)),
        gone: (connection) => this.#gone(connection),
        hasWay: (peer) => this.#ways.get(peer)?.(),
      },
      { onBytes: (bytes) => onRecords(bytes, () => this.line.tell('storeCommitted')) },
    );
    this.#end = new Promise((resolve) => {
      const end = (why: string): void => {
        if (this.ended) return;
        this.ended = true;
        this.serving = false;
        this.connectionsAtEnd = this.#handed.size;
        this.line.close();
        for (const socket of this.#onTheirWay) socket.destroy();
        for (const connection of [...this.#handed.keys()]) this.#gone(connection);
        resolve();
        onEnd(why);
      };
      this.#process.once('error', (error) => end(`it could not be started: ${error.message}`));
      // Not before all that it has said was heard.
      this.#process.once('close', (code, signal) => end(signal === null ? `exit code ${code}` : `ended by ${signal}`));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Connections that it has. */
  get connections(): number {
    return this.#handed.size;
  }

  /** Hands a connection over. */
  give(listener: string, socket: Socket, counted: HandedOver): void {
    const number = ++this.#last;
    this.#handed.set(number, { counted, settled: false });
    this.#send({ listener, number }, socket, () => this.#gone(number));
  }

  /** Hands over one end of a way to another worker; resolves when it has arrived, or the process is gone. */
  async giveWay(peer: number, socket: Socket): Promise<void> {
    const arrived = new Promise<void>((resolve) => this.#ways.set(peer, resolve));
    this.#send({ peer }, socket, () => {});
    await Promise.race([arrived, this.#end]);
    this.#ways.delete(peer);
  }

  /** Ends the process without a word. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Resolves when nothing is left of the process. */
  whenEnded(): Promise<void> {
    return this.#end;
  }

  /** What is sent to a process that is dying comes back as a failure, or not at all: then its end tidies up. */
  #send(word: object, socket: Socket, failed: () => void): void {
    this.#onTheirWay.add(socket);
    const done = (error: Error | null): void => {
      this.#onTheirWay.delete(socket);
      if (error === null) return;
      socket.destroy();
      failed();
    };
    try {
      this.#process.send(word, socket, {}, done);
    } catch (error) {
      done(error as Error);
    }
  }

  #proxied(connection: number, client: SocketAddresses): boolean {
    return this.#handed.get(connection)?.counted.proxied(client) ?? false;
  }

  #settle(handed: Handed | undefined): void {
    if (handed === undefined || handed.settled) return;
    handed.settled = true;
    handed.counted.settled();
  }

  #gone(connection: number): void {
    const handed = this.#handed.get(connection);
    if (handed === undefined) return;
    this.#handed.delete(connection);
    this.#settle(handed);
    handed.counted.gone();
  }
}

/** Of the process itself, which compiled code shares. */
function flags(): readonly string[] {
  return import.meta.url.endsWith('.ts') ? [] : process.execArgv;
}

/** A process runs compiled code only: where the sources themselves run, as in tests, it is that of the last build. */
function workerFile(): string {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return fileURLToPath(new URL('./worker-process.js', here));
  return fileURLToPath(`${here.slice(0, here.lastIndexOf('/src/'))}/dist/workers/worker-process.js`);
}
