import { expect, onTestFinished } from 'vitest';
import { MemorySessionStore } from '../../src/broker/memory-session-store.ts';
import type { SessionStore, StoreListener } from '../../src/broker/session-store.ts';
import type { ExchangeBounds } from '../../src/bus/exchange.ts';
import { InProcessExchange } from '../../src/bus/in-process-exchange.ts';
import { type Client, type ConnectOptions, Stage, type StageOptions, settled } from './harness.ts';

/** One store for several workers, as each of them sees it. */
export class SharedStore {
  readonly core = new MemorySessionStore();
  readonly #listeners = new Set<StoreListener>();

  constructor() {
    this.core.listen({
      committed: () => this.#all((listener) => listener.committed()),
      failing: (problem, unsaved) => this.#all((listener) => listener.failing(problem, unsaved)),
      recovered: () => this.#all((listener) => listener.recovered()),
    });
  }

  view(): SessionStore {
    const listen = (listener: StoreListener): void => {
      this.#listeners.add(listener);
    };
    return new Proxy(this.core as SessionStore, {
      get: (core, key) => {
        if (key === 'listen') return listen;
        const value: unknown = Reflect.get(core, key);
        return typeof value === 'function' ? value.bind(core) : value;
      },
    });
  }

  #all(tell: (listener: StoreListener) => void): void {
    for (const listener of this.#listeners) tell(listener);
  }
}

/** Waits for something that takes a few turns of several brokers. */
export async function until(holds: () => boolean): Promise<void> {
  let held = holds();
  for (let round = 0; round < 400 && !held; round++) {
    await settled();
    held = holds();
  }
  expect(held).toBe(true);
}

/** Subscribes and takes SUBACK. */
export async function subscribed(
  client: Client,
  filter: string,
  options: Parameters<Client['subscribe']>[1] = {},
): Promise<void> {
  client.subscribe(filter, options);
  await until(() => client.packets.some(({ type }) => type === 'suback'));
  client.packets = client.packets.filter(({ type }) => type !== 'suback');
}

/** Takes all messages, which are to be these and no more. */
export async function got(client: Client, ...expected: string[]): Promise<void> {
  const messages: string[] = [];
  await until(() => {
    messages.push(...client.messages());
    return messages.length >= expected.length;
  });
  await settled(30);
  expect([...messages, ...client.messages()]).toEqual(expected);
}

/** Several brokers in one process that are the workers of one server. Worker 0 is the office. */
export class Crew {
  readonly stages: Stage[] = [];
  readonly exchanges: InProcessExchange[] = [];
  readonly lost: string[] = [];
  readonly #options: (worker: number) => StageOptions;

  readonly #bounds: Partial<ExchangeBounds>;

  private constructor(options: (worker: number) => StageOptions, bounds: Partial<ExchangeBounds>) {
    this.#options = options;
    this.#bounds = bounds;
  }

  static async of(
    count: number,
    options: StageOptions | ((worker: number) => StageOptions) = {},
    bounds: Partial<ExchangeBounds> = {},
  ): Promise<Crew> {
    const crew = new Crew(typeof options === 'function' ? options : () => options, bounds);
    for (let worker = 0; worker < count; worker++) await crew.start(worker);
    onTestFinished(() => crew.close());
    return crew;
  }

  /** Starts a worker and waits until it may serve. */
  async start(worker: number): Promise<Stage> {
    const exchange = new InProcessExchange(worker, this.#bounds);
    const lost = (peer: number, why: string): void => {
      this.lost.push(`${worker} lost ${peer}: ${why}`);
    };
    const stage = new Stage({ ...this.#options(worker), workers: { exchange, lost } });
    const others = this.exchanges.filter((other) => other !== undefined);
    this.stages[worker] = stage;
    this.exchanges[worker] = exchange;
    for (const other of others) exchange.connect(other);
    await stage.broker.ready(others.map(({ self }) => self));
    return stage;
  }

  /** The process of a worker ends, without a word to anybody. */
  async kill(worker: number): Promise<void> {
    const exchange = this.exchanges[worker]!;
    (this.exchanges as (InProcessExchange | undefined)[])[worker] = undefined;
    for (let peer = 0; peer < 64; peer++) exchange.drop(peer, 'killed');
    await settled();
  }

  /** The office takes what a dead worker had. */
  async adopt(worker: number): Promise<void> {
    await this.office.broker.adopt(worker, ({ grounds, clientId, watson }) =>
      this.office.admission(grounds.principal, clientId, watson),
    );
  }

  get office(): Stage {
    return this.stages[0]!;
  }

  connect(worker: number, clientId: string, options?: ConnectOptions): Promise<Client> {
    return this.stages[worker]!.connect(clientId, options);
  }

  async close(): Promise<void> {
    for (const exchange of this.exchanges) await exchange?.close();
  }
}
