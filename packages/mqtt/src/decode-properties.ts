import type { ByteReader } from './byte-reader.ts';
import { ANY_VIOLATION, type DecodeFailure, decodeFailure } from './decode-failure.ts';
import type { PacketType } from './packets.ts';
import { PROPERTY_ROWS, PROPERTY_TABLE, type Properties, type PropertyRow } from './properties.ts';
import { checkTopicName, TOPIC_WILDCARD } from './topic-form.ts';
import { checkUtf8String, UTF8_FINE, UTF8_NULL } from './utf8.ts';
import { encodedLength, readVariableByteInteger, variableByteIntegerSize } from './variable-byte-integer.ts';

const BIT_OF: readonly number[] = PROPERTY_ROWS.map((row) => (row ? 1 << PROPERTY_TABLE.indexOf(row) : 0));
const METHOD_BIT = BIT_OF[0x15]!;
const DATA_BIT = BIT_OF[0x16]!;

/** What the check of a PUBLISH finds on its way, for those who need not decode the rest. */
export interface PropertyFacts {
  /** 0: none. */
  topicAlias: number;
  /** Seconds; -1: none. */
  messageExpiryInterval: number;
  payloadFormatIndicator: number;
}

/**
 * Checks the properties between two offsets: which may stand at this place, how often, their form and their values
 * (MQTT 5 section 2.2.2). Makes no object unless it fails.
 */
export function checkProperties(
  bytes: Uint8Array,
  start: number,
  end: number,
  place: number,
  packetType: PacketType,
  facts: PropertyFacts | undefined,
): DecodeFailure | undefined {
  let seen = 0;
  let position = start;
  while (position < end) {
    const identifier = bytes[position++]!;
    const row = PROPERTY_ROWS[identifier];
    if (row === undefined) return malformed(packetType, `property ${identifier} does not exist`);
    if ((row.places & place) === 0) return misplaced(row, packetType);
    const bit = BIT_OF[identifier]!;
    if ((seen & bit) !== 0 && row.kind !== 'pair' && (row.kind !== 'variable' || packetType !== 'publish')) {
      return wrong(row, packetType, 'comes more than once');
    }
    seen |= bit;
    const next = checkValue(row, bytes, position, end);
    if (next < 0) return valueFailure(next, row, packetType);
    if (facts !== undefined) {
      if (identifier === 0x23) facts.topicAlias = (bytes[position]! << 8) | bytes[position + 1]!;
      else if (identifier === 0x02) facts.messageExpiryInterval = readFour(bytes, position);
      else if (identifier === 0x01) facts.payloadFormatIndicator = bytes[position]!;
    }
    position = next;
  }
  if ((seen & DATA_BIT) !== 0 && (seen & METHOD_BIT) === 0) {
    return protocolError(packetType, 'authenticationData comes without authenticationMethod');
  }
  return undefined;
}

const TRUNCATED = -1;
const ILL_FORMED = -2;
const NULL_CHARACTER = -3;
const WILDCARD = -4;
const OUT_OF_RANGE = -5;
const NOT_MINIMAL = -6;
const EMPTY_TOPIC = -7;

/** Answers the offset behind the value, or one of the constants above. */
function checkValue(row: PropertyRow, bytes: Uint8Array, position: number, end: number): number {
  switch (row.kind) {
    case 'bit':
    case 'flag':
      if (position >= end) return TRUNCATED;
      return bytes[position]! > 1 ? OUT_OF_RANGE : position + 1;
    case 'two':
      if (position + 2 > end) return TRUNCATED;
      return row.positive && bytes[position] === 0 && bytes[position + 1] === 0 ? OUT_OF_RANGE : position + 2;
    case 'four':
      if (position + 4 > end) return TRUNCATED;
      return row.positive && readFour(bytes, position) === 0 ? OUT_OF_RANGE : position + 4;
    case 'variable': {
      const value = readVariableByteInteger(bytes, position, end);
      if (value < 0) return TRUNCATED;
      const length = encodedLength(bytes, position);
      if (length !== variableByteIntegerSize(value)) return NOT_MINIMAL;
      return value === 0 ? OUT_OF_RANGE : position + length;
    }
    case 'binary':
      return fieldEnd(bytes, position, end);
    case 'string':
      return checkString(bytes, position, end);
    case 'topic':
      return checkTopic(bytes, position, end);
    case 'pair': {
      const value = checkString(bytes, position, end);
      return value < 0 ? value : checkString(bytes, value, end);
    }
  }
}

function fieldEnd(bytes: Uint8Array, position: number, end: number): number {
  if (position + 2 > end) return TRUNCATED;
  const next = position + 2 + ((bytes[position]! << 8) | bytes[position + 1]!);
  return next > end ? TRUNCATED : next;
}

function checkString(bytes: Uint8Array, position: number, end: number): number {
  const next = fieldEnd(bytes, position, end);
  if (next < 0) return next;
  const form = checkUtf8String(bytes, position + 2, next);
  if (form === UTF8_FINE) return next;
  return form === UTF8_NULL ? NULL_CHARACTER : ILL_FORMED;
}

function checkTopic(bytes: Uint8Array, position: number, end: number): number {
  const next = checkString(bytes, position, end);
  if (next < 0) return next;
  if (next === position + 2) return EMPTY_TOPIC;
  return checkTopicName(bytes, position + 2, next) === TOPIC_WILDCARD ? WILDCARD : next;
}

function readFour(bytes: Uint8Array, position: number): number {
  const high = (bytes[position]! << 8) | bytes[position + 1]!;
  return high * 0x1_0000 + ((bytes[position + 2]! << 8) | bytes[position + 3]!);
}

function valueFailure(problem: number, row: PropertyRow, packetType: PacketType): DecodeFailure {
  const field = row.name;
  switch (problem) {
    case ILL_FORMED:
      return malformed(packetType, `${field} is not well-formed UTF-8`, 'MQTT-1.5.4-1');
    case NULL_CHARACTER:
      return malformed(packetType, `${field} holds the null character U+0000`, 'MQTT-1.5.4-2');
    case NOT_MINIMAL:
      return malformed(packetType, `${field} is not encoded in the fewest bytes`, 'MQTT-1.5.5-1');
    case EMPTY_TOPIC:
      return protocolError(packetType, `${field} is empty`, 'MQTT-4.7.3-1');
    case WILDCARD:
      return wrong(row, packetType, 'holds a wildcard');
    case OUT_OF_RANGE:
      return wrong(row, packetType, row.kind === 'bit' || row.kind === 'flag' ? 'is neither 0 nor 1' : 'is 0');
    default:
      return malformed(packetType, `the properties end within ${field}`);
  }
}

function wrong(row: PropertyRow, packetType: PacketType, problem: string): DecodeFailure {
  return protocolError(packetType, `${row.name} ${problem}`, row.statement);
}

function misplaced(row: PropertyRow, packetType: PacketType): DecodeFailure {
  const message = `${row.name} does not belong in this ${packetType.toUpperCase()}`;
  // The one misplacement that the table of section 2.2.2.2 permits and a statement of its own forbids.
  if (packetType === 'publish' && row.name === 'subscriptionIdentifiers') {
    return protocolError(packetType, message, 'MQTT-3.3.4-6');
  }
  if (packetType === 'disconnect' && row.name === 'sessionExpiryInterval') {
    return protocolError(packetType, message, 'MQTT-3.14.2-2');
  }
  return malformed(packetType, message);
}

function malformed(packetType: PacketType, message: string, statement: string = ANY_VIOLATION.five): DecodeFailure {
  return decodeFailure('malformed_packet', 5, statement, statement, message, packetType);
}

function protocolError(packetType: PacketType, message: string, statement: string = ANY_VIOLATION.five): DecodeFailure {
  return decodeFailure('protocol_error', 5, statement, statement, message, packetType);
}

/** Reads the properties at the position of a reader, with their length; undefined if there are none, or below MQTT 5. */
export function readProperties(reader: ByteReader, place: number): Properties | undefined {
  if (reader.version < 5) return undefined;
  const length = reader.variable('property length');
  const start = reader.position;
  if (length > reader.remaining) {
    reader.fail('malformed_packet', ANY_VIOLATION.five, ANY_VIOLATION.below, 'the packet ends within its properties');
  }
  if (length === 0 || reader.failure !== undefined) return undefined;
  const failure = checkProperties(reader.bytes, start, start + length, place, reader.packetType, undefined);
  if (failure !== undefined) {
    reader.failWith(failure);
    return undefined;
  }
  reader.position = start + length;
  return decodeProperties(reader.bytes, start, start + length);
}

/** Makes the properties of bytes that passed `checkProperties`, such as those of a PublishFrame. Binary data is a view. */
export function decodeProperties(bytes: Buffer, start: number, end: number): Properties {
  const properties: Record<string, unknown> = {};
  const userProperties: [string, string][] = [];
  const subscriptionIdentifiers: number[] = [];
  let position = start;
  while (position < end) {
    const row = PROPERTY_ROWS[bytes[position++]!]!;
    switch (row.kind) {
      case 'bit':
        properties[row.name] = bytes[position++]!;
        break;
      case 'flag':
        properties[row.name] = bytes[position++] === 1;
        break;
      case 'two':
        properties[row.name] = bytes.readUInt16BE(position);
        position += 2;
        break;
      case 'four':
        properties[row.name] = bytes.readUInt32BE(position);
        position += 4;
        break;
      case 'variable':
        subscriptionIdentifiers.push(readVariableByteInteger(bytes, position, end));
        position += encodedLength(bytes, position);
        break;
      case 'binary': {
        const next = fieldEnd(bytes, position, end);
        properties[row.name] = bytes.subarray(position + 2, next);
        position = next;
        break;
      }
      case 'string':
      case 'topic': {
        const next = fieldEnd(bytes, position, end);
        properties[row.name] = bytes.toString('utf8', position + 2, next);
        position = next;
        break;
      }
      case 'pair': {
        const middle = fieldEnd(bytes, position, end);
        const next = fieldEnd(bytes, middle, end);
        userProperties.push([bytes.toString('utf8', position + 2, middle), bytes.toString('utf8', middle + 2, next)]);
        position = next;
        break;
      }
    }
  }
  if (userProperties.length > 0) properties.userProperties = userProperties;
  if (subscriptionIdentifiers.length > 0) properties.subscriptionIdentifiers = subscriptionIdentifiers;
  return properties as Properties;
}
