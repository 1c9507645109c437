import { setImmediate as turn } from 'node:timers/promises';
import { encode } from '@sallyport/mqtt';
import { topicOf } from '../identity.ts';
import { quantile } from '../statistics.ts';
import type { Fleet } from './fleet.ts';

const LARGEST_BURST = 8;

export interface LatencyStretch {
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly highest: number;
  /** Messages per second that were really sent. */
  readonly rate: number;
}

/**
 * Sends at a fixed rate, spread over all publishers, and measures from the moment a message was due (not from when it was
 * sent: a stalled generator must not hide the wait) to its arrival.
 */
export async function latency(fleet: Fleet, rate: number, duration: number): Promise<LatencyStretch> {
  const packets = fleet.publishers.map(({ client }) =>
    encode(
      {
        type: 'publish',
        topic: topicOf(client.identity.index),
        payload: Buffer.alloc(100),
        qos: 0,
        retain: false,
        dup: false,
      },
      4,
    ),
  );
  const samples: number[] = [];
  fleet.onDelivery = (bytes, payload) => samples.push(performance.now() - bytes.readDoubleBE(payload + 8));
  const startedAt = performance.now();
  const endsAt = startedAt + duration;
  const interval = 1000 / rate;
  let sent = 0;
  for (let now = startedAt; now < endsAt; now = performance.now()) {
    // Few per turn: the messages of a burst would wait for each other.
    for (let burst = 0; burst < LARGEST_BURST && startedAt + sent * interval <= now; burst += 1) {
      const index = sent % packets.length;
      const publisher = fleet.publishers[index];
      const packet = Buffer.from(packets[index] ?? []);
      packet.writeUInt32BE(publisher?.client.identity.index ?? 0, packet.length - 100);
      packet.writeDoubleBE(startedAt + sent * interval, packet.length - 92);
      publisher?.client.socket.write(packet);
      sent += 1;
    }
    await turn();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  for (let waited = 0; samples.length < sent && waited < 1000; waited += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  fleet.onDelivery = undefined;
  if (samples.length < sent) throw new Error(`${sent - samples.length} of ${sent} messages did not arrive within 5 s`);
  const micro = (fraction: number) => quantile(samples, fraction) * 1000;
  return { p50: micro(0.5), p99: micro(0.99), highest: micro(1), rate: sent / seconds };
}
