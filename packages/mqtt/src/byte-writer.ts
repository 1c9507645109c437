import { EncodeError } from './encode-error.ts';
import { checkTopicName, TOPIC_WILDCARD } from './topic-form.ts';
import {
  VARIABLE_BYTE_INTEGER_MAXIMUM,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from './variable-byte-integer.ts';

const LONGEST_FIELD = 0xffff;
/** Room for a fixed header in front of the body. */
const HEADER_ROOM = 5;

/** Writes the body of one packet from front to back, and refuses values that the wire cannot carry. */
export class ByteWriter {
  bytes: Buffer;
  position = HEADER_ROOM;

  /** `expected` is a guess at the size of the body, in bytes. */
  constructor(expected: number) {
    this.bytes = Buffer.allocUnsafe(HEADER_ROOM + expected);
  }

  /** The packet with its fixed header. */
  finish(firstByte: number): Buffer {
    const remaining = this.position - HEADER_ROOM;
    if (remaining > VARIABLE_BYTE_INTEGER_MAXIMUM) throw new EncodeError(`a packet cannot have ${remaining} bytes`);
    const start = HEADER_ROOM - 1 - variableByteIntegerSize(remaining);
    this.bytes[start] = firstByte;
    writeVariableByteInteger(this.bytes, start + 1, remaining);
    return this.bytes.subarray(start, this.position);
  }

  /** What was written, without room for a fixed header. */
  body(): Buffer {
    return this.bytes.subarray(HEADER_ROOM, this.position);
  }

  byte(value: number, field: string): void {
    this.whole(value, 0xff, field);
    this.room(1);
    this.bytes[this.position++] = value;
  }

  two(value: number, field: string): void {
    this.whole(value, 0xffff, field);
    this.room(2);
    this.position = this.bytes.writeUInt16BE(value, this.position);
  }

  four(value: number, field: string): void {
    this.whole(value, 0xffff_ffff, field);
    this.room(4);
    this.position = this.bytes.writeUInt32BE(value, this.position);
  }

  variable(value: number, field: string): void {
    this.whole(value, VARIABLE_BYTE_INTEGER_MAXIMUM, field);
    this.room(4);
    this.position = writeVariableByteInteger(this.bytes, this.position, value);
  }

  packetId(value: number | undefined): void {
    if (!value) throw new EncodeError('a packet identifier is never 0');
    this.two(value, 'packet identifier');
  }

  /** Bytes as they are, without a length. */
  raw(value: Uint8Array): void {
    this.room(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }

  binary(value: Uint8Array, field: string): void {
    if (value.length > LONGEST_FIELD) throw new EncodeError(`${field} has ${value.length} bytes; 65535 is the most`);
    this.two(value.length, field);
    this.raw(value);
  }

  /** A UTF-8 Encoded String; answers where its bytes start. */
  string(value: string, field: string): number {
    const length = Buffer.byteLength(value);
    if (length > LONGEST_FIELD) throw new EncodeError(`${field} has ${length} bytes; 65535 is the most`);
    if (value.includes('\0')) throw new EncodeError(`${field} holds the null character U+0000`);
    // Buffer would put U+FFFD in the place of a lone surrogate, and so send another string than was given.
    if (length !== value.length && /\p{Surrogate}/u.test(value)) throw new EncodeError(`${field} is not well-formed`);
    this.two(length, field);
    this.room(length);
    const start = this.position;
    this.position += this.bytes.write(value, start, 'utf8');
    return start;
  }

  topicName(value: string, field: string): void {
    if (value === '') throw new EncodeError(`${field} is empty`);
    const start = this.string(value, field);
    if (checkTopicName(this.bytes, start, this.position) === TOPIC_WILDCARD) {
      throw new EncodeError(`${field} holds a wildcard`);
    }
  }

  private whole(value: number, maximum: number, field: string): void {
    if (!Number.isInteger(value) || value < 0 || value > maximum) {
      throw new EncodeError(`${field} is ${value}, not a whole number from 0 to ${maximum}`);
    }
  }

  private room(size: number): void {
    const needed = this.position + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(grown, 0, 0, this.position);
    this.bytes = grown;
  }
}
