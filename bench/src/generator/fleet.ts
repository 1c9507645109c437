import { setTimeout as pause } from 'node:timers/promises';
import { ALL_TOPICS, type Identity, topicOf } from '../identity.ts';
import { LoadClient, type Target } from './load-client.ts';
import { Publisher } from './publisher.ts';

export type Shape = 'fan-in' | 'pairs' | 'fan-out';

/** The clients of one generator process at one peer. */
export interface Muster {
  readonly shape: Shape;
  /** The sessions of subscribers are kept: what is sent to them has to be on disk. */
  readonly durable: boolean;
  readonly target: Target;
  readonly publishers: readonly Identity[];
  readonly subscribers: readonly Identity[];
}

const AT_ONCE = 25;

/** Does `act` for each item, at most 25 at a time. */
export async function crowded<T>(items: readonly T[], act: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let index = next++; index < items.length; index = next++) await act(items[index] as T, index);
    }),
  );
}

/** Publishers and subscribers that are connected and ready. */
export class Fleet {
  readonly publishers: Publisher[] = [];
  readonly subscribers: LoadClient[] = [];
  readonly #byIndex: Publisher[] = [];
  #running = false;
  #dirty: Publisher[] = [];
  #flushing = false;
  /** Where sessions are to be ended with a clean start; undefined: they end with their connections. */
  #kept: Target | undefined;
  /** Called for each delivered message, with where its payload lies. */
  onDelivery: ((bytes: Buffer, payloadStart: number) => void) | undefined;

  static async connect({ shape, durable, target, publishers, subscribers }: Muster): Promise<Fleet> {
    const fleet = new Fleet();
    if (durable) fleet.#kept = target;
    const receivers = shape === 'fan-out' ? subscribers.length : 1;
    await crowded(subscribers, async (identity) => {
      const client = await LoadClient.connect(identity, target, undefined, durable);
      await client.subscribe(shape === 'fan-in' ? ALL_TOPICS : topicOf(shape === 'fan-out' ? 0 : identity.index), 1);
      fleet.#listen(client);
      fleet.subscribers.push(client);
    });
    await crowded(publishers, async (identity) => {
      const publisher = new Publisher(await LoadClient.connect(identity, target), receivers);
      publisher.client.onChunkEnd = () => fleet.#touch(publisher);
      fleet.#byIndex[identity.index] = publisher;
      fleet.publishers.push(publisher);
    });
    return fleet;
  }

  /** Deliveries so far in this run. */
  get delivered(): number {
    let sum = 0;
    for (const publisher of this.publishers) sum += publisher.delivered;
    return sum;
  }

  start(qos: 0 | 1, window: number): void {
    for (const publisher of this.publishers) publisher.begin(qos, window);
    this.#running = true;
    for (const publisher of this.publishers) publisher.refill();
  }

  /** Sends no more and waits until all that was sent has arrived; fails if messages were lost. */
  async finish(): Promise<void> {
    this.#running = false;
    const missing = () => this.publishers.reduce((sum, publisher) => sum + publisher.sent - publisher.completed, 0);
    for (let waited = 0; missing() > 0; waited += 10) {
      if (waited > 10_000) throw new Error(`${missing()} messages did not arrive within 10 s`);
      await pause(10);
    }
  }

  /** Leaves nothing behind: a kept session would go on collecting what later workloads send. */
  async close(): Promise<void> {
    for (const publisher of this.publishers) publisher.client.close();
    for (const client of this.subscribers) client.close();
    const target = this.#kept;
    if (target === undefined) return;
    await crowded(this.subscribers, async ({ identity }) => (await LoadClient.connect(identity, target)).close());
  }

  #listen(client: LoadClient): void {
    let acks: number[] = [];
    client.onPacket = (header, bytes, start) => {
      if ((header & 0xf0) !== 0x30) return;
      let payload = start + 2 + bytes.readUInt16BE(start);
      if ((header & 0x06) !== 0) {
        acks.push(bytes.readUInt16BE(payload));
        payload += 2;
      }
      const publisher = this.#byIndex[bytes.readUInt32BE(payload)];
      if (publisher === undefined) return;
      publisher.delivered += 1;
      this.onDelivery?.(bytes, payload);
      this.#touch(publisher);
    };
    client.onChunkEnd = () => {
      if (acks.length === 0) return;
      const packets = Buffer.allocUnsafe(acks.length * 4);
      for (let index = 0; index < acks.length; index += 1)
        packets.writeUInt32BE(0x40020000 + (acks[index] ?? 0), index * 4);
      acks = [];
      client.socket.write(packets);
    };
  }

  /** Publishers are refilled once per turn, however many of their messages arrived in it. */
  #touch(publisher: Publisher): void {
    if (!this.#running || publisher.dirty) return;
    publisher.dirty = true;
    this.#dirty.push(publisher);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      const dirty = this.#dirty;
      this.#dirty = [];
      this.#flushing = false;
      for (const each of dirty) {
        each.dirty = false;
        if (this.#running) each.refill();
      }
    });
  }
}
