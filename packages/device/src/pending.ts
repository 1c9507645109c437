import { Failure } from '@sallyport/model';
import { within } from './within.ts';

/** Counts what waits for the server, and takes only so much. */
export class Pending {
  readonly #maximum: number;
  readonly #where: string;
  readonly #idle: (() => void)[] = [];
  #count = 0;

  /** `where` is `host:port`, for failures. */
  constructor(maximum: number, where: string) {
    this.#maximum = maximum;
    this.#where = where;
  }

  get none(): boolean {
    return this.#count === 0;
  }

  /**
   * Does the work, which counts until it ends.
   *
   * @throws Failure `queue_full`
   */
  async during(work: () => Promise<void>): Promise<void> {
    if (this.#count >= this.#maximum) {
      throw new Failure('queue_full', `${this.#count} messages wait already for ${this.#where}.`);
    }
    this.#count += 1;
    try {
      await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }

  /** Resolves when nothing waits any more, and after `patience` milliseconds in any case. */
  async quiet(patience: number): Promise<void> {
    if (this.#count > 0) await within(patience, new Promise<void>((idle) => this.#idle.push(idle)));
  }
}
