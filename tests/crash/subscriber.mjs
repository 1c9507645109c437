// @ts-check
import { CrashClient } from './client.mjs';

/** Counts what it is given, message by message; takes over QoS 2 exactly once as a client has to. */
export class Subscriber extends CrashClient {
  /** How often each message came, by topic and number. @type {Map<string, number>} */
  counts = new Map();
  /** The last that came, by topic. @type {Map<string, number>} */
  latest = new Map();
  total = 0;
  /** @type {Set<number>} */
  #received = new Set();
  #granted = () => {};

  /** @param {readonly string[]} filters */
  async subscribe(filters) {
    const granted = new Promise((resolve) => {
      this.#granted = () => resolve(undefined);
    });
    const subscriptions = filters.map((filter) => ({
      filter,
      qos: /** @type {const} */ (2),
      noLocal: false,
      retainAsPublished: false,
      retainHandling: /** @type {const} */ (0),
    }));
    this.send({ type: 'subscribe', packetId: 1, subscriptions });
    await granted;
  }

  /**
   * @override
   * @param {any} packet
   */
  take(packet) {
    const { type, packetId } = packet;
    if (type === 'suback') this.#granted();
    else if (type === 'pubrel') {
      this.#received.delete(packetId);
      this.send({ type: 'pubcomp', packetId, reasonCode: 0 });
    } else if (type === 'publish') {
      if (packet.qos === 1) this.send({ type: 'puback', packetId, reasonCode: 0 });
      if (packet.qos === 2) {
        this.send({ type: 'pubrec', packetId, reasonCode: 0 });
        if (this.#received.has(packetId)) return;
        this.#received.add(packetId);
      }
      this.#count(packet.topic, Number(packet.payload.toString()));
    }
  }

  /**
   * @param {string} topic
   * @param {number} number
   */
  #count(topic, number) {
    const key = `${topic} ${number}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    this.latest.set(topic, number);
    this.total++;
  }
}
