import type { QoS } from '@sallyport/mqtt';
import type { Message } from './message.ts';
import { NO_PROPERTIES, withExpiry } from './publish-properties.ts';
import type { Receiver } from './receiver.ts';
import type { Route } from './route.ts';

const NOWHERE: Route = {
  topic: '',
  topicBytes: Buffer.alloc(0),
  version: 0,
  targets: [],
  groups: [],
  elsewhere: undefined,
  number: 0,
};
const NO_BYTES = Buffer.alloc(0);
/** (MQTT 5 or below) x QoS x retain flag. */
const KINDS = 12;

/**
 * A message on its way through the broker. There is one, used again for each message: the bytes are those of the chunk
 * that was read, until somebody has to keep them.
 */
export class Passage {
  route: Route = NOWHERE;
  sender: Receiver | undefined;
  qos: QoS = 0;
  retain = false;
  /** Milliseconds since the epoch; 0: never. */
  expiresAt = 0;
  payload: Buffer = NO_BYTES;
  payloadStart = 0;
  payloadEnd = 0;
  /** Properties for MQTT 5 receivers, expiry included. */
  properties: Buffer = NO_PROPERTIES;
  /** Where the whole PUBLISH lies in `payload`, if it can go on as it came; 0 and 0 if not. */
  wireStart = 0;
  wireEnd = 0;
  wireFive = false;
  wireRetain = false;
  /** True while it is being delivered: nothing else may begin. */
  busy = false;
  #forwarded: Buffer = NO_PROPERTIES;
  #message: Message | undefined;
  #wire: Uint8Array | undefined;
  #copies = false;
  readonly #copyBytes: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(KINDS).fill(undefined);
  readonly #copyId: number[] = new Array<number>(KINDS).fill(0);

  /** `forwarded`: properties without expiry. `remaining`: seconds to live; below 0: for ever. */
  begin(
    route: Route,
    sender: Receiver | undefined,
    qos: QoS,
    retain: boolean,
    payload: Buffer,
    payloadStart: number,
    payloadEnd: number,
    forwarded: Buffer,
    remaining: number,
    expiresAt: number,
  ): void {
    this.route = route;
    this.sender = sender;
    this.qos = qos;
    this.retain = retain;
    this.payload = payload;
    this.payloadStart = payloadStart;
    this.payloadEnd = payloadEnd;
    this.#forwarded = forwarded;
    this.properties = remaining < 0 ? forwarded : withExpiry(forwarded, remaining);
    this.expiresAt = expiresAt;
    this.#message = undefined;
  }

  /** Said after {@link begin}: the bytes of the packet are what a receiver of the same protocol version gets at QoS 0. */
  asItCame(start: number, end: number, five: boolean, retain: boolean): void {
    this.wireStart = start;
    this.wireEnd = end;
    this.wireFive = five;
    this.wireRetain = retain;
  }

  /** The bytes of the packet as it came. */
  get wire(): Uint8Array {
    const { payload, wireStart, wireEnd } = this;
    this.#wire ??= new Uint8Array(payload.buffer, payload.byteOffset + wireStart, wireEnd - wireStart);
    return this.#wire;
  }

  /** As {@link begin}, for a message that the server owns already. */
  beginOwned(route: Route, message: Message, sender: Receiver | undefined, remaining: number): void {
    const { body, payloadStart } = message;
    const forwarded = payloadStart === 0 ? NO_PROPERTIES : body.subarray(0, payloadStart);
    this.begin(
      route,
      sender,
      message.qos,
      message.retain,
      body,
      payloadStart,
      body.length,
      forwarded,
      remaining,
      message.expiresAt,
    );
    this.#message = message;
  }

  /** Properties without expiry. */
  get forwarded(): Buffer {
    return this.#forwarded;
  }

  /** It is one that is never put on disk. */
  get volatile(): boolean {
    return this.#message?.volatile === true;
  }

  /** The message in bytes of its own, copied once however many keep it. */
  own(): Message {
    if (this.#message !== undefined) return this.#message;
    const { route, payload, payloadStart, payloadEnd } = this;
    const forwarded = this.#forwarded;
    const body = Buffer.allocUnsafe(forwarded.length + payloadEnd - payloadStart);
    forwarded.copy(body, 0);
    payload.copy(body, forwarded.length, payloadStart, payloadEnd);
    this.#message = {
      topic: route.topic,
      topicBytes: route.topicBytes,
      body,
      payloadStart: forwarded.length,
      qos: this.qos,
      retain: this.retain,
      expiresAt: this.expiresAt,
      storeId: 0,
      references: 0,
      volatile: false,
    };
    return this.#message;
  }

  /** Remembers a PUBLISH as it was written, so that the next receiver of the same kind gets a copy of the bytes. */
  remember(kind: number, bytes: Buffer, start: number, end: number, packetIdAt: number): void {
    this.#copies = true;
    // One view for all receivers: a view for each would cost more than the copy of the bytes.
    this.#copyBytes[kind] = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
    this.#copyId[kind] = packetIdAt - start;
  }

  copyBytes(kind: number): Uint8Array | undefined {
    return this.#copyBytes[kind];
  }
  /** Offset of the packet identifier from the start of the packet. */
  copyId(kind: number): number {
    return this.#copyId[kind]!;
  }

  /** Lets go of all bytes. */
  finish(): void {
    this.busy = false;
    this.payload = NO_BYTES;
    this.properties = NO_PROPERTIES;
    this.#forwarded = NO_PROPERTIES;
    this.#message = undefined;
    this.sender = undefined;
    this.wireEnd = 0;
    this.#wire = undefined;
    if (!this.#copies) return;
    this.#copies = false;
    this.#copyBytes.fill(undefined);
  }
}
