import type { QoS } from '@sallyport/mqtt';
import type { Message } from './message.ts';

/** A message that the server itself sends. The topic is the full one. */
export interface ServerMessage {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly qos?: QoS;
  readonly retain?: boolean;
  /** Seconds. */
  readonly expiry?: number;
  /** Retained in memory only: what it tells is no longer true after a restart. */
  readonly volatile?: boolean;
}

/** Puts it in the form in which the broker carries messages. `now`: milliseconds since the epoch. */
export function serverMessage(
  { topic, payload, qos = 0, retain = false, expiry, volatile = false }: ServerMessage,
  now: number,
): Message {
  return {
    topic,
    topicBytes: Buffer.from(topic),
    body: Buffer.from(payload),
    payloadStart: 0,
    qos,
    retain,
    expiresAt: expiry === undefined ? 0 : now + expiry * 1000,
    storeId: 0,
    references: 0,
    volatile,
  };
}
