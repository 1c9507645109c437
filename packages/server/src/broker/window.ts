import type { Message } from './message.ts';

/** What the server waits for with a packet identifier of its own. */
export const FREE = 0;
export const AWAITS_PUBACK = 1;
export const AWAITS_PUBREC = 2;
export const AWAITS_PUBCOMP = 3;

/**
 * QoS 1 and 2 messages on their way to one client, by packet identifier. Identifiers are small numbers that are used
 * again, so that everything is a slot of an array.
 */
export class Window {
  size = 0;
  readonly #states: number[] = [];
  readonly #messages: (Message | undefined)[] = [];
  readonly #flags: number[] = [];
  readonly #identifiers: (Buffer | undefined)[] = [];
  readonly #order: number[] = [];
  readonly #free: number[] = [];
  #sequence = 0;

  /** Takes a free packet identifier for the message. The caller keeps `size` within its bound. */
  open(message: Message, flags: number, identifiers: Buffer | undefined, state: number): number {
    const packetId = this.#free.pop() ?? this.#states.length + 1;
    const slot = packetId - 1;
    this.#states[slot] = state;
    this.#messages[slot] = message;
    this.#flags[slot] = flags;
    this.#identifiers[slot] = identifiers;
    this.#order[slot] = this.#sequence++;
    this.size++;
    return packetId;
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
    this.#free.push(packetId);
    this.size--;
  }

  /** Packet identifiers in use, in the order in which their packets were first sent [MQTT-4.6.0-1], [MQTT-4.6.0-4]. */
  inOrder(): number[] {
    const used: number[] = [];
    for (let slot = 0; slot < this.#states.length; slot++) if (this.#states[slot] !== FREE) used.push(slot + 1);
    return used.sort((a, b) => this.#order[a - 1]! - this.#order[b - 1]!);
  }
}
