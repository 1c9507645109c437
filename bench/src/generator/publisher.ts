import { encode } from '@sallyport/mqtt';
import { topicOf } from '../identity.ts';
import type { LoadClient } from './load-client.ts';

const PAYLOAD = 100;

/**
 * Keeps `window` messages of one client on their way: the next one leaves when an earlier one has reached all its
 * receivers and, at QoS 1, has been acknowledged. The packets are encoded once and written again and again.
 */
export class Publisher {
  readonly client: LoadClient;
  /** Receivers that each message goes to. */
  readonly receivers: number;
  sent = 0;
  /** Deliveries of its messages, over all receivers. */
  delivered = 0;
  #acknowledged = 0;
  #window = 0;
  #qos: 0 | 1 = 0;
  #packets = Buffer.alloc(0);
  #size = 0;
  dirty = false;

  constructor(client: LoadClient, receivers: number) {
    this.client = client;
    this.receivers = receivers;
    client.onPacket = (header) => {
      if (header === 0x40) this.#acknowledged += 1;
    };
  }

  /** Begins a run; nothing may be on its way. */
  begin(qos: 0 | 1, window: number): void {
    const payload = Buffer.alloc(PAYLOAD, 0x2e);
    payload.writeUInt32BE(this.client.identity.index, 0);
    const topic = topicOf(this.client.identity.index);
    const packets = Array.from({ length: window }, (_, index) =>
      encode(
        {
          type: 'publish',
          topic,
          payload,
          qos,
          retain: false,
          dup: false,
          ...(qos === 1 ? { packetId: index + 1 } : {}),
        },
        4,
      ),
    );
    this.#packets = Buffer.concat(packets);
    this.#size = packets[0]?.length ?? 0;
    this.#qos = qos;
    this.#window = window;
    this.sent = 0;
    this.delivered = 0;
    this.#acknowledged = 0;
  }

  /** Messages that have arrived everywhere and are acknowledged. */
  get completed(): number {
    const arrived = Math.floor(this.delivered / this.receivers);
    return this.#qos === 0 ? arrived : Math.min(arrived, this.#acknowledged);
  }

  /** Sends what the window leaves room for, in one write where it can. */
  refill(): void {
    let room = this.#window - (this.sent - this.completed);
    while (room > 0) {
      const first = this.sent % this.#window;
      const count = Math.min(room, this.#window - first);
      this.client.socket.write(this.#packets.subarray(first * this.#size, (first + count) * this.#size));
      this.sent += count;
      room -= count;
    }
  }
}
