import { MOST_WORKERS } from '../bus/exchange.ts';
import type { Message } from './message.ts';

/** Topics whose last message was an empty one, remembered at most: an older message that is still on its way must not come back. */
const REMEMBERED = 20_000;

/**
 * The order of retained messages over all workers. Each gets a number when it is published; of two for one topic the greater one stays,
 * whichever comes first to whom. So all workers keep the same.
 */
export class RetainedOrder {
  readonly #self: number;
  #clock = 0;
  /** By organisation and topic. */
  readonly #removed = new Map<string, number>();

  constructor(self: number) {
    this.#self = self;
  }

  /** Numbers a message of this worker: later than all that it has seen. */
  stamp(organisation: string, message: Message, isEmpty: boolean): void {
    message.stamp = ++this.#clock * MOST_WORKERS + this.#self;
    if (isEmpty) this.#remember(organisation, message.topic, message.stamp);
    else this.#removed.delete(keyOf(organisation, message.topic));
  }

  /** What becomes of another worker's message, given the one that is kept: `own` replaces one of this worker, whose store must follow. */
  judge(
    organisation: string,
    topic: string,
    kept: Message | undefined,
    stamp: number,
    isEmpty: boolean,
  ): 'older' | 'newer' | 'own' {
    this.#clock = Math.max(this.#clock, Math.floor(stamp / MOST_WORKERS));
    const present = Math.max(kept?.stamp ?? 0, this.#removed.get(keyOf(organisation, topic)) ?? 0);
    if (stamp < present || (stamp === present && (stamp > 0 || kept !== undefined))) return 'older';
    if (isEmpty) this.#remember(organisation, topic, stamp);
    else this.#removed.delete(keyOf(organisation, topic));
    return present > 0 && present % MOST_WORKERS === this.#self ? 'own' : 'newer';
  }

  #remember(organisation: string, topic: string, stamp: number): void {
    const key = keyOf(organisation, topic);
    this.#removed.delete(key);
    if (this.#removed.size >= REMEMBERED) {
      const [oldest] = this.#removed.keys();
      if (oldest !== undefined) this.#removed.delete(oldest);
    }
    this.#removed.set(key, stamp);
  }
}

function keyOf(organisation: string, topic: string): string {
  return `${organisation}\0${topic}`;
}
