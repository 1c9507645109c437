import { type Message, messageSize } from './message.ts';

/** Bits of the number that goes with each message to a client. */
export const QOS_BITS = 3;
export const RETAIN_BIT = 4;

/** What a queue holds in which nothing has waited, or not for long: nothing is ever put into them. */
const NO_MESSAGES: (Message | undefined)[] = [];
const NO_NUMBERS: number[] = [];
const NO_IDENTIFIERS: (Buffer | undefined)[] = [];

/**
 * Messages that wait for one client, oldest first, bounded in number and bytes. Parallel arrays: a message that waits in
 * five hundred queues makes no object in any of them.
 */
export class MessageQueue {
  length = 0;
  bytes = 0;
  #head = 0;
  #messages = NO_MESSAGES;
  #flags = NO_NUMBERS;
  #identifiers = NO_IDENTIFIERS;
  #positions = NO_NUMBERS;

  /** `identifiers`: subscription identifiers as they travel in MQTT 5. `position`: in the session store; 0: not there. */
  push(message: Message, flags: number, identifiers: Buffer | undefined, position: number): void {
    if (this.#messages === NO_MESSAGES) {
      this.#messages = [];
      this.#flags = [];
      this.#identifiers = [];
      this.#positions = [];
    }
    this.#messages.push(message);
    this.#flags.push(flags);
    this.#identifiers.push(identifiers);
    this.#positions.push(position);
    this.length++;
    this.bytes += messageSize(message);
  }

  /** The oldest message; undefined if none waits. */
  get first(): Message | undefined {
    return this.#messages[this.#head];
  }

  get firstFlags(): number {
    return this.#flags[this.#head] ?? 0;
  }

  get firstIdentifiers(): Buffer | undefined {
    return this.#identifiers[this.#head];
  }

  get firstPosition(): number {
    return this.#positions[this.#head] ?? 0;
  }

  /** Each message and its position in the session store. */
  visit(visitor: (message: Message, position: number, flags: number, identifiers: Buffer | undefined) => void): void {
    for (let index = this.#head; index < this.#messages.length; index++) {
      visitor(this.#messages[index]!, this.#positions[index]!, this.#flags[index]!, this.#identifiers[index]);
    }
  }

  /** Puts another message of the same size in place of each. */
  replace(other: (message: Message, position: number) => Message): void {
    for (let index = this.#head; index < this.#messages.length; index++) {
      this.#messages[index] = other(this.#messages[index]!, this.#positions[index]!);
    }
  }

  /** From now on none of them is in the session store. */
  forgetPositions(): void {
    this.#positions.fill(0);
  }

  /** Drops the oldest. */
  shift(): void {
    const message = this.#messages[this.#head];
    if (message === undefined) return;
    this.length--;
    this.bytes -= messageSize(message);
    this.#messages[this.#head] = undefined;
    this.#identifiers[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#messages.length) this.#cut(this.#head);
    else if (this.#head >= 64 && this.#head * 2 >= this.#messages.length) this.#cut(this.#head);
  }

  /** Gives back what an empty queue does not need. */
  rest(): void {
    if (this.length > 0) return;
    this.#head = 0;
    this.#messages = NO_MESSAGES;
    this.#flags = NO_NUMBERS;
    this.#identifiers = NO_IDENTIFIERS;
    this.#positions = NO_NUMBERS;
  }

  #cut(count: number): void {
    this.#messages.splice(0, count);
    this.#flags.splice(0, count);
    this.#identifiers.splice(0, count);
    this.#positions.splice(0, count);
    this.#head = 0;
  }
}
