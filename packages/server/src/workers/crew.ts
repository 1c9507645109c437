import type { Socket } from 'node:net';
import type { SocketExchange } from '../bus/socket-exchange.ts';
import { socketPair } from '../bus/socket-pair.ts';
import type { ServerEvent } from '../events/events.ts';
import type { HandedOver } from '../listeners/hand-over.ts';
import type { WorkerCalls, WorkerPlan } from './calls.ts';
import { allowedCores, findTaskset } from './cores.ts';
import { WorkerHandle, type WorkerHandleOptions } from './worker-handle.ts';

export interface CrewOptions extends Pick<WorkerHandleOptions, 'onRecords'> {
  /** Workers besides the office. */
  readonly count: number;
  readonly desk: (
    worker: number,
    ...given: Parameters<WorkerHandleOptions['desk']>
  ) => ReturnType<WorkerHandleOptions['desk']>;
  /** What a worker that starts now is made of. */
  readonly plan: () => Omit<WorkerPlan, 'number'>;
  /** The office's end of the ways between all. */
  readonly exchange: SocketExchange;
  /** Folder of this process in which ways are made. */
  readonly folder: string;
  readonly emit: (event: ServerEvent) => void;
  /** Takes over what a dead worker has left, after all that it has written has come here; its successor begins afterwards. */
  readonly bury: (worker: number) => Promise<void>;
}

type Asked = keyof WorkerCalls & string;
type Given<K extends Asked> = Parameters<WorkerCalls[K]>;
type Answer<K extends Asked> = Awaited<ReturnType<WorkerCalls[K]>>;

/** A worker that lived so long was well: its successor is started at once. Milliseconds, as are the others. */
const WELL = 60_000;
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
/** A worker is asked so often whether it is there, and taken for dead if it has not answered by then. */
const LOOK_EVERY = 5_000;
const DEAD_AFTER = 30_000;
const BEGIN_WITHIN = 60_000;
/** Beyond what its clients have for the last bytes. */
const CLOSE_GRACE = 5_000;

/** The worker processes of a server: started, looked after, replaced, and asked together. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #handles = new Map<number, WorkerHandle>();
  /** Those that have their ways to all others. */
  readonly #woven = new Set<WorkerHandle>();
  readonly #pauses = new Map<number, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #cores = allowedCores();
  readonly #taskset = findTaskset();
  #weaving: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Starts all; rejects if one cannot be started. */
  async start(): Promise<void> {
    const numbers = Array.from({ length: this.#options.count }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => this.#begin(number)));
    const looking = setInterval(() => void this.#look(), LOOK_EVERY);
    looking.unref();
    this.#timers.add(looking);
  }

  /** Workers that take connections. */
  get serving(): readonly WorkerHandle[] {
    return [...this.#handles.values()].filter(({ serving }) => serving);
  }

  get connections(): number {
    let all = 0;
    for (const { connections } of this.#handles.values()) all += connections;
    return all;
  }

  /** Resolves when everything that was told before has been heard. */
  async heard(): Promise<void> {
    await this.ask('alive');
  }

  /** Hands a connection to the worker that has the fewest; false if there is none. */
  give(listener: string, socket: Socket, counted: HandedOver): boolean {
    let fewest: WorkerHandle | undefined;
    for (const handle of this.#handles.values()) {
      if (handle.serving && (fewest === undefined || handle.connections < fewest.connections)) fewest = handle;
    }
    fewest?.give(listener, socket, counted);
    return fewest !== undefined;
  }

  tell<K extends Asked>(name: K, ...given: Given<K>): void {
    for (const { line } of this.#handles.values()) line.tell(name, ...given);
  }

  /** By its number: no answer from one that is not there. */
  of(worker: number): WorkerHandle | undefined {
    return this.#handles.get(worker);
  }

  /** Asks all; answers of those that die meanwhile, or fail, are missing. */
  async ask<K extends Asked>(name: K, ...given: Given<K>): Promise<Answer<K>[]> {
    const asked = [...this.#handles.values()].map(async ({ number, line, ended }) => {
      try {
        return [(await line.ask(name, ...given)) as Answer<K>];
      } catch (error) {
        if (!line.ended && !ended) {
          this.#options.emit({ type: 'defect', where: `worker ${number}, ${name}`, problem: String(error) });
        }
        return [];
      }
    });
    return (await Promise.all(asked)).flat();
  }

  /** What each has counted. */
  async count(): Promise<{ readonly worker: number; readonly counters: Answer<'counters'> }[]> {
    const asked = [...this.#handles.values()].map(async ({ number: worker, line }) => {
      const counters = await line.ask('counters').catch(() => undefined);
      return counters === undefined ? [] : [{ worker, counters }];
    });
    return (await Promise.all(asked)).flat();
  }

  /** Kills a worker that others have given up. */
  giveUp(worker: number): void {
    this.#handles.get(worker)?.kill();
  }

  /** Lets every worker take leave of its clients, then ends the processes. `patience`: milliseconds that the clients have. */
  async close(reason: string, patience: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(
      [...this.#handles.values()].map(async (handle) => {
        const deadline = setTimeout(() => handle.kill(), 2 * patience + CLOSE_GRACE);
        await handle.line.ask('close', reason).catch(() => {});
        handle.line.close();
        await handle.whenEnded();
        clearTimeout(deadline);
      }),
    );
  }

  async #begin(number: number): Promise<void> {
    const { desk, onRecords, plan, count, emit } = this.#options;
    const core = count <= this.#cores.length ? this.#cores[number - 1] : undefined;
    const pin = core !== undefined && this.#taskset !== undefined ? { core, taskset: this.#taskset } : undefined;
    const since = performance.now();
    const handle: WorkerHandle = new WorkerHandle({
      number,
      ...(pin && { pin }),
      desk: (line) => desk(number, line),
      onRecords,
      onEnd: (why) => this.#lost(handle, why, performance.now() - since),
    });
    const deadline = setTimeout(() => handle.kill(), BEGIN_WITHIN);
    try {
      // The line keeps the order: what is told from now on comes after the plan.
      const begun = handle.line.ask('begin', { ...plan(), number });
      this.#handles.set(number, handle);
      await begun;
      await this.#weave(handle);
      const others = [...this.#woven].filter((other) => other !== handle && !other.ended);
      await handle.line.ask('ready', [0, ...others.map((other) => other.number)]);
      if (handle.ended) throw new Error(`Worker ${number} ended while it was started.`);
      handle.serving = true;
    } catch (error) {
      handle.kill();
      await handle.whenEnded();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    const { pid = 0 } = handle;
    emit({ type: 'worker.started', worker: number, pid, ...(pin && { core: pin.core }) });
  }

  /** Opens the ways between a newcomer and everybody who has theirs already. One newcomer after the other. */
  #weave(handle: WorkerHandle): Promise<void> {
    const weaving = this.#weaving.then(async () => {
      await this.#wayToOffice(handle);
      for (const other of [...this.#woven]) await this.#way(handle, other);
      this.#woven.add(handle);
    });
    this.#weaving = weaving.catch(() => {});
    return weaving;
  }

  async #wayToOffice(handle: WorkerHandle): Promise<void> {
    const [near, far] = await socketPair(this.#options.folder);
    await handle.giveWay(0, far);
    if (handle.ended) near.destroy();
    else {
      handle.line.tell('join', 0);
      this.#options.exchange.connect(handle.number, near);
    }
  }

  /** Neither end says anything before both are where they belong. */
  async #way(one: WorkerHandle, other: WorkerHandle): Promise<void> {
    const [near, far] = await socketPair(this.#options.folder);
    await Promise.all([one.giveWay(other.number, near), other.giveWay(one.number, far)]);
    one.line.tell('join', other.number);
    other.line.tell('join', one.number);
  }

  #lost(handle: WorkerHandle, why: string, lived: number): void {
    const { number, connectionsAtEnd } = handle;
    if (this.#handles.get(number) === handle) this.#handles.delete(number);
    this.#woven.delete(handle);
    const { emit, exchange } = this.#options;
    exchange.drop(number, why);
    if (this.#closing) {
      emit({ type: 'worker.stopped', worker: number });
      return;
    }
    const before = this.#pauses.get(number) ?? 0;
    const pause = lived >= WELL ? SHORTEST_PAUSE : Math.min(Math.max(before * 2, SHORTEST_PAUSE), LONGEST_PAUSE);
    this.#pauses.set(number, pause);
    emit({ type: 'worker.lost', worker: number, why, connections: connectionsAtEnd, restartsIn: pause });
    this.#replace(number, pause);
  }

  #replace(number: number, pause: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#succeed(number).catch((problem: unknown) => {
        this.#options.emit({ type: 'defect', where: `replacement of worker ${number}`, problem: String(problem) });
        if (!this.#closing) this.#replace(number, LONGEST_PAUSE);
      });
    }, pause);
    this.#timers.add(timer);
  }

  async #succeed(number: number): Promise<void> {
    await this.#options.bury(number);
    if (this.#closing) return;
    // Whoever does not begin has been told as lost, and is tried again.
    await this.#begin(number).catch(() => {});
  }

  async #look(): Promise<void> {
    await Promise.all(
      [...this.#handles.values()].map(async (handle) => {
        const deadline = setTimeout(() => handle.kill(), DEAD_AFTER);
        await handle.line.ask('alive').catch(() => {});
        clearTimeout(deadline);
      }),
    );
  }
}
