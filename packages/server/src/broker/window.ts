import type { Message } from './message.ts';

/** What the server waits for with a packet identifier of its own. */
export const FREE = 0;
export const AWAITS_PUBACK = 1;
export const AWAITS_PUBREC = 2;
export const AWAITS_PUBCOMP = 3;

const FIRST_SPAN = 32;
const MAXIMUM_SPAN = 65_535;
/** Bits of a slot's word that hold what is waited for; the flags stand above them. */
const STATE_BITS = 3;
const STATE_WIDTH = 2;
/** What a window holds that has never been used, or not for long: nothing is ever put into it. */
const UNUSED: number[] = [];

/**
 * QoS 1 and 2 messages on their way to one client, by packet identifier. Identifiers go round in a span of small numbers, at
 * most half of which is in use: everything is a slot of an array, and one that was just given back is not taken again at once,
 * so that a late acknowledgement meets nothing that it was not meant for.
 *
 * Most clients get few such messages and keep nothing beyond their connection: arrays are made when something first has to stand in them.
 */
export class Window {
  size = 0;
  /** Of each slot: what is waited for, and the flags. */
  #words = UNUSED;
  #order = UNUSED;
  #messages: (Message | undefined)[] | undefined;
  #identifiers: (Buffer | undefined)[] | undefined;
  #positions: number[] | undefined;
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
   * Takes a free packet identifier for the message. The caller keeps `size` within its bound. `message`: undefined if it will not be sent
   * again. `position`: in the session store; 0: not there.
   */
  open(
    message: Message | undefined,
    flags: number,
    identifiers: Buffer | undefined,
    state: number,
    position: number,
  ): number {
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
    if (this.#words === UNUSED) {
      this.#words = [];
      this.#order = [];
    }
    for (let free = this.#words.length; free < slot; free++) {
      this.#words[free] = FREE;
      this.#order[free] = 0;
    }
    this.#words[slot] = (flags << STATE_WIDTH) | state;
    this.#order[slot] = this.#sequence++;
    if (message !== undefined) {
      this.#messages ??= [];
      this.#messages[slot] = message;
    }
    if (identifiers !== undefined) {
      this.#identifiers ??= [];
      this.#identifiers[slot] = identifiers;
    }
    if (this.#positions !== undefined || position > 0) {
      this.#positions ??= [];
      this.#positions[slot] = position;
    }
    this.size++;
  }

  state(packetId: number): number {
    return (this.#words[packetId - 1] ?? FREE) & STATE_BITS;
  }

  /** Undefined for one that will not be sent again. */
  message(packetId: number): Message | undefined {
    return this.#messages?.[packetId - 1];
  }

  flags(packetId: number): number {
    return (this.#words[packetId - 1] ?? 0) >> STATE_WIDTH;
  }

  identifiers(packetId: number): Buffer | undefined {
    return this.#identifiers?.[packetId - 1];
  }

  position(packetId: number): number {
    return this.#positions?.[packetId - 1] ?? 0;
  }

  /** Puts another message in place of one that is on its way. */
  replace(packetId: number, message: Message): void {
    this.#messages ??= [];
    this.#messages[packetId - 1] = message;
  }

  /** From now on none of them is in the session store. */
  forgetPositions(): void {
    this.#positions = undefined;
  }

  /** The client has the QoS 2 message: only its identifier is still kept [MQTT-4.3.3-6]. */
  release(packetId: number): void {
    const slot = packetId - 1;
    this.#words[slot] = (this.flags(packetId) << STATE_WIDTH) | AWAITS_PUBCOMP;
    this.#letGo(slot);
    this.#order[slot] = this.#sequence++;
  }

  close(packetId: number): void {
    if (this.state(packetId) === FREE) return;
    const slot = packetId - 1;
    this.#words[slot] = FREE;
    this.#letGo(slot);
    this.size--;
  }

  #letGo(slot: number): void {
    if (this.#messages !== undefined) this.#messages[slot] = undefined;
    if (this.#identifiers !== undefined) this.#identifiers[slot] = undefined;
  }

  /** Gives back what an idle client does not need. */
  rest(): void {
    if (this.size > 0) return;
    this.#words = UNUSED;
    this.#order = UNUSED;
    this.#messages = undefined;
    this.#identifiers = undefined;
    this.#positions = undefined;
  }

  /** Packet identifiers in use, in the order in which their packets were first sent [MQTT-4.6.0-1], [MQTT-4.6.0-4]. */
  inOrder(): number[] {
    const used: number[] = [];
    if (this.size === 0) return used;
    for (let slot = 0; slot < this.#words.length; slot++) if (this.state(slot + 1) !== FREE) used.push(slot + 1);
    return used.sort((a, b) => this.#order[a - 1]! - this.#order[b - 1]!);
  }
}
