import type { QoS } from '@sallyport/mqtt';

/** A message that the server owns: waiting in queues, in flight, retained, or the will of somebody. */
export interface Message {
  /** The full topic, as the organisation's router knows it. */
  readonly topic: string;
  readonly topicBytes: Buffer;
  /** Properties as they travel in MQTT 5 (without length, alias, expiry and subscription identifiers), then the payload. */
  readonly body: Buffer;
  /** Where the payload starts within `body`. */
  readonly payloadStart: number;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAt: number;
  /** Number in the session store; 0: it is not there. */
  storeId: number;
  /** How often the session store refers to it. */
  references: number;
  /** Never put on disk, also when it is retained. */
  readonly volatile: boolean;
  /** Of a retained message where there are several workers: the greater of two is the later one. */
  stamp?: number;
}

/** What a message weighs in the bounds of queues and stores, in bytes. */
export function messageSize(message: Message): number {
  return message.topicBytes.length + message.body.length;
}
