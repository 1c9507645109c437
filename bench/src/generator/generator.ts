import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Order, OrderName, Orders, Reply } from './orders.ts';

const PROCESS = fileURLToPath(new URL('process.js', import.meta.url));

/** A generator process, pinned to cores; takes one order at a time. */
export class Generator {
  readonly #child: ChildProcess;
  #next = 1;
  #waiting: { id: number; resolve: (answer: unknown) => void; reject: (error: Error) => void } | undefined;

  /** `cores` as taskset takes them; undefined leaves the process where it is. */
  constructor(cores: string | undefined) {
    const pinned = cores === undefined ? {} : { execPath: 'taskset', execArgv: ['-c', cores, process.execPath] };
    this.#child = fork(PROCESS, [], pinned);
    this.#child.on('message', (message: Reply) => this.#settle(message));
    this.#child.on('exit', (code) => this.#fail(new Error(`a generator process ended with code ${code}`)));
    this.#child.on('error', (error) => this.#fail(error));
  }

  order<Name extends OrderName>(name: Name, ask: Orders[Name]['ask']): Promise<Orders[Name]['answer']> {
    const id = this.#next++;
    const order: Order<Name> = { id, name, ask };
    return new Promise((resolve, reject) => {
      this.#waiting = { id, resolve: resolve as (answer: unknown) => void, reject };
      this.#child.send(order);
    });
  }

  stop(): void {
    this.#child.removeAllListeners('exit');
    this.#child.kill();
  }

  #settle(message: Reply): void {
    const waiting = this.#waiting;
    if (waiting?.id !== message.id) return;
    this.#waiting = undefined;
    if ('error' in message) waiting.reject(new Error(message.error));
    else waiting.resolve(message.answer);
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
