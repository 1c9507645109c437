import { onTestFinished } from 'vitest';
import { InProcessExchange } from '../../src/bus/in-process-exchange.ts';
import { type Client, type ConnectOptions, Stage, type StageOptions, settled } from './harness.ts';

/** Several brokers in one process that are the workers of one server. Worker 0 is the office. */
export class Crew {
  readonly stages: Stage[] = [];
  readonly exchanges: InProcessExchange[] = [];
  readonly lost: string[] = [];
  readonly #options: (worker: number) => StageOptions;

  private constructor(options: (worker: number) => StageOptions) {
    this.#options = options;
  }

  static async of(count: number, options: StageOptions | ((worker: number) => StageOptions) = {}): Promise<Crew> {
    const crew = new Crew(typeof options === 'function' ? options : () => options);
    for (let worker = 0; worker < count; worker++) await crew.start(worker);
    onTestFinished(() => crew.close());
    return crew;
  }

  /** Starts a worker and waits until it may serve. */
  async start(worker: number): Promise<Stage> {
    const exchange = new InProcessExchange(worker);
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
    delete this.exchanges[worker];
    for (let peer = 0; peer < 64; peer++) exchange.drop(peer, 'killed');
    await settled();
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
