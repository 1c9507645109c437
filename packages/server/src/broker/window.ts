import type { Message } from './message.ts';

/** What the server waits for with a packet identifier of its own. */
export const FREE = 0;
export const AWAITS_PUBACK = 1;
export const AWAITS_PUBREC = 2;
export const AWAITS_PUBCOMP = 3;

const FIRST_SPAN = 32;
const MAXIMUM_SPAN = 65_535;

/**
 * QoS 1 and 2 messages on their way to one client, by packet identifier. Identifiers go round in a span of small numbers, at
 * most half of which is in use: everything is a slot of an array, and one that was just given back is not taken again at once,
 * so that a late acknowledgement meets nothing that it was not meant for.
 */
export class Window {
  size = 0;
  readonly #states: number[] = [];
  readonly #messages: (Message | undefined)[] = [];
  readonly #flags: number[] = [];
  readonly #identifiers: (Buffer | undefined)[] = [];
  readonly #order: number[] = [];
  readonly #positions: number[] = [];
  #span = FIRST_SPAN;
  #last = 0;
  #sequence = 0;

  /** The packet identifier that `open` takes next. */
  get next(): number {
    if (this.size * 2 >= this.#span) this.#span = Math.min(this.#span * 2, MAXIMUM_SPAN);
    let packetId = this.#last;
    do packetId = packetId >= this.#span ? 1 : packetId + 1;
    while (this.state(packetId) !== FREE && packetId !== this.#last);
    return packetId;
  }

  /**
   * Takes a free packet identifier for the message. The caller keeps `size` within its bound. `position`: in the session store;
   * 0: not there.
   */
  open(message: Message, flags: number, identifiers: Buffer | undefined, state: number, position: number): number {
    const packetId = this.next;
    this.#fill(packetId, message, flags, identifiers, state, position);
    return packetId;
  }

  /** Puts back what was in flight before a restart, in the order in which it is called. */
  restore(
    packetId: number,
    message: Message | undefined,
    flags: number,
    identifiers: Buffer | undefined,
    state: number,
    position: number,
  ): void {
    while (this.#span < packetId) this.#span = Math.min(this.#span * 2, MAXIMUM_SPAN);
    this.#fill(packetId, message, flags, identifiers, state, position);
  }

  #fill(
    packetId: number,
    message: Message | undefined,
    flags: number,
    identifiers: Buffer | undefined,
    state: number,
    position: number,
  ): void {
    this.#last = packetId;
    const slot = packetId - 1;
    for (let free = this.#states.length; free < slot; free++) this.#states[free] = FREE;
    this.#states[slot] = state;
    this.#messages[slot] = message;
    this.#flags[slot] = flags;
    this.#identifiers[slot] = identifiers;
    this.#positions[slot] = position;
    this.#order[slot] = this.#sequence++;
    this.size++;
  }

  state(packetId: number): number {
    return this.#states[packetId - 1] ?? FREE;
  }

  message(packetId: number): Message | undefined {
    return this.#messages[packetId - 1];
  }

  flags(packetId: number): number {
    return this.#flags[packetId - 1] ?? 0;
  }

  identifiers(packetId: number): Buffer | undefined {
    return this.#identifiers[packetId - 1];
  }

  position(packetId: number): number {
    return this.#positions[packetId - 1] ?? 0;
  }

  /** Puts another message in place of one that is on its way. */
  replace(packetId: number, message: Message): void {
    this.#messages[packetId - 1] = message;
  }

  /** From now on none of them is in the session store. */
  forgetPositions(): void {
    this.#positions.fill(0);
  }

  /** The client has the QoS 2 message: only its identifier is still kept [MQTT-4.3.3-6]. */
  release(packetId: number): void {
    const slot = packetId - 1;
    this.#states[slot] = AWAITS_PUBCOMP;
    this.#messages[slot] = undefined;
    this.#identifiers[slot] = undefined;
    this.#order[slot] = this.#sequence++;
  }

  close(packetId: number): void {
    const slot = packetId - 1;
    if ((this.#states[slot] ?? FREE) === FREE) return;
    this.#states[slot] = FREE;
    this.#messages[slot] = undefined;
    this.#identifiers[slot] = undefined;
    this.size--;
  }

  /** Packet identifiers in use, in the order in which their packets were first sent [MQTT-4.6.0-1], [MQTT-4.6.0-4]. */
  inOrder(): number[] {
    const used: number[] = [];
    for (let slot = 0; slot < this.#states.length; slot++) if (this.#states[slot] !== FREE) used.push(slot + 1);
    return used.sort((a, b) => this.#order[a - 1]! - this.#order[b - 1]!);
  }
}
