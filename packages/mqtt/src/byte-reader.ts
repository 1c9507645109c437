import { ANY_VIOLATION, type DecodeFailure, type DecodeFailureCode, decodeFailure } from './decode-failure.ts';
import type { PacketType, ProtocolVersion, Sender } from './packets.ts';
import { checkTopicName, TOPIC_WILDCARD } from './topic-form.ts';
import { checkUtf8String, UTF8_FINE, UTF8_NULL } from './utf8.ts';
import { encodedLength, readVariableByteInteger, variableByteIntegerSize } from './variable-byte-integer.ts';

const NO_BYTES = Buffer.alloc(0);

/**
 * Reads the body of one packet from front to back. The first violation sticks in `failure` and moves to the end, so that
 * loops over what remains come to rest; what is read after it is empty.
 */
export class ByteReader {
  bytes: Buffer = NO_BYTES;
  position = 0;
  end = 0;
  version: ProtocolVersion = 4;
  sender: Sender = 'client';
  packetType: PacketType = 'connect';
  failure: DecodeFailure | undefined;

  /** Starts on the body of another packet. */
  open(bytes: Buffer, start: number, end: number, packetType: PacketType, version: ProtocolVersion, sender: Sender) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.packetType = packetType;
    this.version = version;
    this.sender = sender;
    this.failure = undefined;
  }

  /** Lets go of the bytes. */
  release(): void {
    this.bytes = NO_BYTES;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  fail(code: DecodeFailureCode, statementOf5: string, statementBelow5: string, message: string): void {
    this.failWith(decodeFailure(code, this.version, statementOf5, statementBelow5, message, this.packetType));
  }

  failWith(failure: DecodeFailure): void {
    this.failure ??= failure;
    this.position = this.end;
  }

  /** Fails unless the packet ends here. */
  finish(): void {
    if (this.position < this.end) this.violation(`${this.remaining} bytes follow the last field`);
  }

  byte(field: string): number {
    if (this.position >= this.end) return this.truncated(field);
    return this.bytes[this.position++]!;
  }

  two(field: string): number {
    if (this.position + 2 > this.end) return this.truncated(field);
    const value = (this.bytes[this.position]! << 8) | this.bytes[this.position + 1]!;
    this.position += 2;
    return value;
  }

  /** A packet identifier, never 0; the statements are those of the packet type. */
  packetId(statementOf5: string, statementBelow5: string): number {
    const value = this.two('packet identifier');
    if (value === 0) this.fail('protocol_error', statementOf5, statementBelow5, 'the packet identifier is 0');
    return value;
  }

  variable(field: string): number {
    const value = readVariableByteInteger(this.bytes, this.position, this.end);
    if (value < 0) return this.truncated(field);
    const length = encodedLength(this.bytes, this.position);
    if (length !== variableByteIntegerSize(value)) {
      const message = `${field} is not encoded in the fewest bytes`;
      this.fail('malformed_packet', 'MQTT-1.5.5-1', ANY_VIOLATION.below, message);
      return 0;
    }
    this.position += length;
    return value;
  }

  /** Binary data with its two bytes of length. A view of the packet's bytes. */
  binary(field: string): Buffer {
    const length = this.two(field);
    if (this.position + length > this.end) this.truncated(field);
    const start = this.position;
    this.position = Math.min(start + length, this.end);
    return this.bytes.subarray(start, this.position);
  }

  string(field: string): string {
    const value = this.binary(field);
    const form = checkUtf8String(value, 0, value.length);
    if (form === UTF8_FINE) return value.toString('utf8');
    this.illFormed(field, form);
    return '';
  }

  /** A topic name: not empty, without wildcards. */
  topicName(field: string): string {
    const value = this.binary(field);
    if (value.length === 0) {
      this.fail('malformed_packet', 'MQTT-4.7.3-1', 'MQTT-4.7.3-1', `${field} is empty`);
      return '';
    }
    const form = checkTopicName(value, 0, value.length);
    if (form === UTF8_FINE) return value.toString('utf8');
    if (form === TOPIC_WILDCARD) {
      this.fail('malformed_packet', 'MQTT-4.7.0-1', 'MQTT-4.7.1-1', `${field} holds a wildcard`);
    } else this.illFormed(field, form);
    return '';
  }

  illFormed(field: string, form: number): void {
    if (form === UTF8_NULL) {
      this.fail('malformed_packet', 'MQTT-1.5.4-2', 'MQTT-1.5.3-2', `${field} holds the null character U+0000`);
    } else this.fail('malformed_packet', 'MQTT-1.5.4-1', 'MQTT-1.5.3-1', `${field} is not well-formed UTF-8`);
  }

  private violation(message: string): void {
    // The server must check all of CONNECT against section 3.1; on other packets only the general rule has an id.
    const [five, below] =
      this.packetType === 'connect' ? ['MQTT-3.1.4-1', 'MQTT-3.1.4-1'] : [ANY_VIOLATION.five, ANY_VIOLATION.below];
    this.fail('malformed_packet', five, below, message);
  }

  private truncated(field: string): 0 {
    this.violation(`the packet ends within ${field}`);
    return 0;
  }
}
