// @ts-check
import { CrashClient } from './client.mjs';

const IN_FLIGHT = 20;

/** Publishes numbers without end, sends again what was not acknowledged, and knows which ones were. */
export class Publisher extends CrashClient {
  /** Numbers that the server has taken over. @type {Set<number>} */
  acknowledged = new Set();
  refused = 0;
  running = false;
  /** By packet identifier; `released` once PUBREC has come. @type {Map<number, { number: number, released: boolean }>} */
  #inFlight = new Map();
  #next = 1;
  #packetId = 0;

  /**
   * @param {string} clientId
   * @param {1 | 2} qos
   * @param {(number: number) => { topic: string, retain?: boolean }} where
   */
  constructor(clientId, qos, where) {
    super(clientId);
    this.qos = qos;
    this.where = where;
  }

  get finished() {
    return this.#inFlight.size === 0;
  }

  /** @override */
  resumed() {
    for (const [packetId, { number, released }] of this.#inFlight) {
      if (released) this.send({ type: 'pubrel', packetId, reasonCode: 0 });
      else this.#publish(packetId, number, true);
    }
    this.fill();
  }

  fill() {
    while (this.running && this.connected && this.#inFlight.size < IN_FLIGHT) {
      do this.#packetId = (this.#packetId % 60_000) + 1;
      while (this.#inFlight.has(this.#packetId));
      const number = this.#next++;
      this.#inFlight.set(this.#packetId, { number, released: false });
      this.#publish(this.#packetId, number, false);
    }
  }

  /**
   * @param {number} packetId
   * @param {number} number
   * @param {boolean} dup
   */
  #publish(packetId, number, dup) {
    const { topic, retain = false } = this.where(number);
    const payload = Buffer.from(String(number));
    this.send({ type: 'publish', topic, payload, qos: this.qos, retain, dup, packetId });
  }

  /**
   * @override
   * @param {any} packet
   */
  take({ type, packetId, reasonCode }) {
    const held = this.#inFlight.get(packetId);
    if (held === undefined) return;
    if (type === 'puback' || (type === 'pubrec' && reasonCode >= 0x80)) {
      if (reasonCode < 0x80) this.acknowledged.add(held.number);
      else this.refused++;
      this.#inFlight.delete(packetId);
    } else if (type === 'pubrec') {
      this.acknowledged.add(held.number);
      held.released = true;
      this.send({ type: 'pubrel', packetId, reasonCode: 0 });
    } else if (type === 'pubcomp') this.#inFlight.delete(packetId);
    this.fill();
  }
}
