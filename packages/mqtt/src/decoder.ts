import { ByteReader } from './byte-reader.ts';
import { decodeAcknowledgement } from './decode-acknowledgement.ts';
import { decodeConnAck } from './decode-connack.ts';
import { decodeConnect } from './decode-connect.ts';
import { decodeAuth, decodeDisconnect } from './decode-disconnect.ts';
import { ANY_VIOLATION, type DecodeFailure, decodeFailure } from './decode-failure.ts';
import { decodePublish, newPublishFrame, type PublishFrame } from './decode-publish.ts';
import { decodeSubAck, decodeUnsubAck } from './decode-suback.ts';
import { decodeSubscribe, decodeUnsubscribe } from './decode-subscribe.ts';
import { firstByteFailure, firstByteTable } from './fixed-header.ts';
import { PACKET_TYPES, type Packet, type PacketType, type ProtocolVersion, type Sender } from './packets.ts';
import {
  encodedLength,
  INTEGER_INCOMPLETE,
  INTEGER_TOO_LONG,
  readVariableByteInteger,
  variableByteIntegerSize,
} from './variable-byte-integer.ts';

/** Takes what a decoder finds, in order. A receiver must not throw. */
export interface PacketReceiver {
  /** The frame is reused for the next PUBLISH; slices of its `bytes` stay valid. */
  publish(frame: PublishFrame): void;
  /** Every packet but PUBLISH, and but what `puback` takes. */
  packet(packet: Packet): void;
  /** A PUBACK that says nothing but yes: where there is one for each message, an object for each is too much. Left out: it is a packet as others are. */
  puback?(packetId: number): void;
}

export interface DecoderOptions {
  /** Bytes of a whole packet with its fixed header. */
  readonly maximumPacketSize: number;
  readonly from: Sender;
  /**
   * Version of a connection that stands already. Without it, a client's first packet must be CONNECT, which sets the
   * version; a server's packets are read as MQTT 3.1.1.
   */
  readonly version?: ProtocolVersion;
  /** Filled for each PUBLISH. Decoders may share one if none of them is given bytes while another one delivers. */
  readonly frame?: PublishFrame;
}

const CONNECT = 0x10;
const CONNECT_TYPE = 1;
const PUBLISH_TYPE = 3;
const PUBACK_TYPE = 4;
const SMALLEST_ASSEMBLY = 64;
const NOTHING = Buffer.alloc(0);
/** Shared by all: it is read from and done with before anything is delivered. */
const READER = new ByteReader();

/**
 * Turns the bytes of one connection into packets, however they are cut. Checks every rule of form; what it delivers needs
 * no further check of that kind. Holds at most the packet that is under way, and of that only what has arrived.
 */
export class Decoder {
  maximumPacketSize: number;
  readonly #from: Sender;
  #version: ProtocolVersion;
  #firstBytes: Uint8Array;
  #awaitsConnect: boolean;
  #failure: DecodeFailure | undefined;
  #active = false;
  #stopped = false;
  /** Chunks that came while stopped. */
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  /** The start of a packet whose end has not come. A new one for each packet, as slices of it may be kept. */
  #partial: Buffer = NOTHING;
  #partialBytes = 0;
  readonly #frame: PublishFrame;

  constructor(options: DecoderOptions) {
    this.maximumPacketSize = options.maximumPacketSize;
    this.#from = options.from;
    this.#frame = options.frame ?? newPublishFrame();
    this.#version = options.version ?? 4;
    this.#firstBytes = firstByteTable(this.#version, this.#from);
    this.#awaitsConnect = options.from === 'client' && options.version === undefined;
  }

  /** 4 until CONNECT has told. */
  get version(): ProtocolVersion {
    return this.#version;
  }

  set version(version: ProtocolVersion) {
    this.#version = version;
    this.#firstBytes = firstByteTable(version, this.#from);
  }

  /** Bytes that have arrived and were not delivered yet. */
  get bufferedBytes(): number {
    return this.#partialBytes + this.#heldBytes;
  }

  /**
   * Delivers every packet that is whole now. After a failure the decoder is dead and only repeats it. The chunk belongs to
   * the decoder and the receiver from here on: it must not be written again.
   */
  push(chunk: Buffer, receiver: PacketReceiver): DecodeFailure | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#stopped || this.#active) {
      this.#hold(chunk);
      return undefined;
    }
    this.#consume(chunk, receiver);
    return this.#held === undefined ? this.#failure : this.#drain(receiver);
  }

  /** Delivers nothing more until `resume`; a receiver may call it. What comes is kept: pause the stream, or it grows. */
  stop(): void {
    this.#stopped = true;
  }

  /** Goes on after `stop`, with what was kept. */
  resume(receiver: PacketReceiver): DecodeFailure | undefined {
    this.#stopped = false;
    // Called from within a receiver, the loop that called it goes on by itself.
    return this.#active ? this.#failure : this.#drain(receiver);
  }

  /** Lets go of the chunk that the last packet came in; to be called while nothing is delivered. */
  rest(): void {
    this.#frame.bytes = NOTHING;
  }

  #drain(receiver: PacketReceiver): DecodeFailure | undefined {
    while (this.#held !== undefined && !this.#stopped && this.#failure === undefined) {
      const chunk = this.#held.shift();
      if (chunk === undefined) {
        this.#held = undefined;
        break;
      }
      this.#heldBytes -= chunk.length;
      this.#consume(chunk, receiver);
    }
    return this.#failure;
  }

  #hold(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#held ??= [];
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #consume(chunk: Buffer, receiver: PacketReceiver): void {
    this.#active = true;
    const length = chunk.length;
    let position = this.#partialBytes > 0 ? this.#assemble(chunk, receiver) : 0;
    while (position < length && !this.#stopped && this.#failure === undefined) {
      const first = chunk[position]!;
      if (this.#firstBytes[first] !== 0 || this.#awaitsConnect) {
        if (this.#refuseFirstByte(first)) break;
      }
      let body = position + 2;
      let remaining = body <= length ? chunk[position + 1]! : 0x80;
      if (remaining >= 0x80) {
        remaining = this.#remainingLength(chunk, position, length);
        if (remaining < 0) break;
        body = position + 1 + encodedLength(chunk, position + 1);
      }
      const end = body + remaining;
      if (end - position > this.maximumPacketSize) {
        this.#refuseSize(first, end - position);
        break;
      }
      if (end > length) break;
      this.#deliver(chunk, position, body, end, receiver);
      position = end;
    }
    this.#active = false;
    if (position >= length || this.#failure !== undefined) return;
    if (this.#stopped) {
      this.#held ??= [];
      this.#held.unshift(chunk.subarray(position));
      this.#heldBytes += length - position;
    } else this.#keep(chunk, position);
  }

  /** The remaining length of a packet that starts at `start`, or below 0 if it is not whole or was refused. */
  #remainingLength(bytes: Buffer, start: number, end: number): number {
    const remaining = readVariableByteInteger(bytes, start + 1, end);
    if (remaining === INTEGER_INCOMPLETE) return remaining;
    const type = PACKET_TYPES[bytes[start]! >> 4];
    if (remaining === INTEGER_TOO_LONG) {
      this.#refuse('malformed_packet', ANY_VIOLATION.five, 'the remaining length takes more than four bytes', type);
      return remaining;
    }
    const isLonger = encodedLength(bytes, start + 1) !== variableByteIntegerSize(remaining);
    // MQTT 3.1.1 has no such rule, and there are clients that pad; before CONNECT the version is not known yet.
    if (isLonger && this.#version === 5) {
      this.#refuse('malformed_packet', 'MQTT-1.5.5-1', 'the remaining length is not encoded in the fewest bytes', type);
      return INTEGER_TOO_LONG;
    }
    return remaining;
  }

  #refuse(code: 'malformed_packet' | 'protocol_error', five: string, message: string, type: PacketType | undefined) {
    this.#failure = decodeFailure(code, this.#version, five, ANY_VIOLATION.below, message, type);
  }

  #refuseFirstByte(first: number): boolean {
    if (this.#awaitsConnect && first >> 4 !== CONNECT_TYPE) {
      const type = PACKET_TYPES[first >> 4];
      const message = 'the first packet is not CONNECT';
      this.#failure = decodeFailure('protocol_error', this.#version, 'MQTT-3.1.0-1', 'MQTT-3.1.0-1', message, type);
    } else this.#failure = firstByteFailure(first, this.#version, this.#from);
    return this.#failure !== undefined;
  }

  #refuseSize(first: number, size: number): void {
    const five = this.#from === 'client' ? 'MQTT-3.2.2-15' : 'MQTT-3.1.2-24';
    const message = `the packet has ${size} bytes; at most ${this.maximumPacketSize} are accepted`;
    const type = PACKET_TYPES[first >> 4];
    this.#failure = decodeFailure('packet_too_large', this.#version, five, ANY_VIOLATION.below, message, type);
  }

  /** Keeps the start of a packet. Room is made for what has come and some more, never for what was announced. */
  #keep(chunk: Buffer, position: number): void {
    const arrived = chunk.length - position;
    this.#partial = Buffer.allocUnsafe(Math.max(SMALLEST_ASSEMBLY, arrived));
    chunk.copy(this.#partial, 0, position);
    this.#partialBytes = arrived;
  }

  #append(chunk: Buffer, from: number, to: number): void {
    const needed = this.#partialBytes + to - from;
    if (needed > this.#partial.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * this.#partial.length, this.maximumPacketSize)));
      this.#partial.copy(grown, 0, 0, this.#partialBytes);
      this.#partial = grown;
    }
    chunk.copy(this.#partial, this.#partialBytes, from, to);
    this.#partialBytes = needed;
  }

  /** Completes the kept packet from a chunk and delivers it; answers how much of the chunk it took. */
  #assemble(chunk: Buffer, receiver: PacketReceiver): number {
    let position = 0;
    let remaining = this.#remainingLength(this.#partial, 0, this.#partialBytes);
    while (remaining === INTEGER_INCOMPLETE) {
      if (position === chunk.length) return position;
      this.#append(chunk, position, position + 1);
      position += 1;
      remaining = this.#remainingLength(this.#partial, 0, this.#partialBytes);
    }
    if (remaining < 0) return position;
    const body = 1 + encodedLength(this.#partial, 1);
    const end = body + remaining;
    if (end > this.maximumPacketSize) {
      this.#refuseSize(this.#partial[0]!, end);
      return position;
    }
    const take = Math.min(end - this.#partialBytes, chunk.length - position);
    this.#append(chunk, position, position + take);
    position += take;
    if (this.#partialBytes < end) return position;
    const whole = this.#partial;
    this.#partial = NOTHING;
    this.#partialBytes = 0;
    this.#deliver(whole, 0, body, end, receiver);
    return position;
  }

  #deliver(bytes: Buffer, start: number, body: number, end: number, receiver: PacketReceiver): void {
    const type = bytes[start]! >> 4;
    if (type === PUBLISH_TYPE) {
      this.#failure = decodePublish(this.#frame, bytes, start, body, end, this.#version, this.#from);
      if (this.#failure === undefined) receiver.publish(this.#frame);
      return;
    }
    if (type === PUBACK_TYPE && end - body === 2 && receiver.puback !== undefined) {
      const packetId = (bytes[body]! << 8) | bytes[body + 1]!;
      if (packetId !== 0) {
        receiver.puback(packetId);
        return;
      }
    }
    const reader = READER;
    reader.open(bytes, body, end, PACKET_TYPES[type]!, this.#version, this.#from);
    const packet = decodePacket(reader);
    reader.release();
    if (this.#awaitsConnect && bytes[start] === CONNECT) {
      this.#awaitsConnect = false;
      // Set even if CONNECT was refused, as the refusal is to be told in the client's version.
      this.version = reader.version;
      if (reader.failure === undefined && this.#remainingLength(bytes, start, end) < 0) return;
    }
    this.#failure = reader.failure;
    if (this.#failure === undefined && packet !== undefined) receiver.packet(packet);
  }
}

function decodePacket(reader: ByteReader): Packet | undefined {
  const type = reader.packetType;
  switch (type) {
    case 'connect':
      return decodeConnect(reader);
    case 'connack':
      return decodeConnAck(reader);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return decodeAcknowledgement(reader, type);
    case 'subscribe':
      return decodeSubscribe(reader);
    case 'suback':
      return decodeSubAck(reader);
    case 'unsubscribe':
      return decodeUnsubscribe(reader);
    case 'unsuback':
      return decodeUnsubAck(reader);
    case 'disconnect':
      return decodeDisconnect(reader);
    case 'auth':
      return decodeAuth(reader);
    case 'pingreq':
    case 'pingresp':
      reader.finish();
      return { type };
    case 'publish':
      return undefined;
  }
}
