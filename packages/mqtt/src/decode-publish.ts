import { ANY_VIOLATION, type DecodeFailure, decodeFailure } from './decode-failure.ts';
import { checkProperties, decodeProperties } from './decode-properties.ts';
import type { ProtocolVersion, Publish, QoS, Sender } from './packets.ts';
import { PLACES } from './properties.ts';
import { checkTopicName, TOPIC_WILDCARD } from './topic-form.ts';
import { UTF8_FINE, UTF8_NULL } from './utf8.ts';
import { encodedLength, readVariableByteInteger, variableByteIntegerSize } from './variable-byte-integer.ts';

/**
 * A checked PUBLISH as offsets into the bytes that it came in. Reused from call to call: read it inside `publish`, keep
 * nothing of it but copies or slices of `bytes`. Slices stay valid; they hold on to the chunk that they are cut from.
 */
export interface PublishFrame {
  bytes: Buffer;
  /** First byte of the fixed header. */
  start: number;
  /** Behind the last byte of the payload. */
  end: number;
  dup: boolean;
  qos: QoS;
  retain: boolean;
  /** 0 at QoS 0. */
  packetId: number;
  /** UTF-8 without wildcards; empty only with a topic alias. */
  topicStart: number;
  topicEnd: number;
  /** Without the property length; an empty range below MQTT 5. */
  propertiesStart: number;
  propertiesEnd: number;
  payloadStart: number;
  payloadEnd: number;
  /** 0: none. */
  topicAlias: number;
  /** Seconds; -1: none. */
  messageExpiryInterval: number;
  payloadFormatIndicator: number;
}

const NO_BYTES = Buffer.alloc(0);

/** A frame for one decoder, or for several that share it. */
export function newPublishFrame(): PublishFrame {
  return {
    bytes: NO_BYTES,
    start: 0,
    end: 0,
    dup: false,
    qos: 0,
    retain: false,
    packetId: 0,
    topicStart: 0,
    topicEnd: 0,
    propertiesStart: 0,
    propertiesEnd: 0,
    payloadStart: 0,
    payloadEnd: 0,
    topicAlias: 0,
    messageExpiryInterval: -1,
    payloadFormatIndicator: 0,
  };
}

/** Fills a frame from a whole PUBLISH whose first byte has been judged already; the body starts at `body`. */
export function decodePublish(
  frame: PublishFrame,
  bytes: Buffer,
  start: number,
  body: number,
  end: number,
  version: ProtocolVersion,
  sender: Sender,
): DecodeFailure | undefined {
  const first = bytes[start]!;
  const qos = ((first >> 1) & 3) as QoS;
  const topicStart = body + 2;
  if (topicStart > end) return truncated(version, 'topic name');
  const topicEnd = topicStart + ((bytes[body]! << 8) | bytes[body + 1]!);
  if (topicEnd > end) return truncated(version, 'topic name');
  const form = checkTopicName(bytes, topicStart, topicEnd);
  if (form !== UTF8_FINE) return topicFailure(version, form);

  let position = topicEnd;
  let packetId = 0;
  if (qos !== 0) {
    position += 2;
    if (position > end) return truncated(version, 'packet identifier');
    packetId = (bytes[topicEnd]! << 8) | bytes[topicEnd + 1]!;
    if (packetId === 0) return packetIdFailure(version, sender);
  }

  frame.topicAlias = 0;
  frame.messageExpiryInterval = -1;
  frame.payloadFormatIndicator = 0;
  frame.propertiesStart = position;
  if (version === 5) {
    let length = position < end ? bytes[position]! : 0x80;
    if (length < 0x80) position += 1;
    else {
      length = readVariableByteInteger(bytes, position, end);
      if (length < 0) return truncated(version, 'property length');
      const size = encodedLength(bytes, position);
      if (size !== variableByteIntegerSize(length)) return notMinimal();
      position += size;
    }
    frame.propertiesStart = position;
    if (length !== 0) {
      if (position + length > end) return truncated(version, 'properties');
      const place = sender === 'client' ? PLACES.publishFromClient : PLACES.publishFromServer;
      const failure = checkProperties(bytes, position, position + length, place, 'publish', frame);
      if (failure !== undefined) return failure;
      position += length;
    }
  }
  if (topicStart === topicEnd && frame.topicAlias === 0) return emptyTopic(version);

  frame.bytes = bytes;
  frame.start = start;
  frame.end = end;
  frame.dup = (first & 8) !== 0;
  frame.qos = qos;
  frame.retain = (first & 1) !== 0;
  frame.packetId = packetId;
  frame.topicStart = topicStart;
  frame.topicEnd = topicEnd;
  frame.propertiesEnd = position;
  frame.payloadStart = position;
  frame.payloadEnd = end;
  return undefined;
}

/** The packet of a frame as an object of its own, with a copy of the payload. For where speed does not matter. */
export function publishFromFrame(frame: PublishFrame): Publish {
  const { bytes, qos, retain, dup } = frame;
  const properties = decodeProperties(
    Buffer.from(bytes.subarray(frame.propertiesStart, frame.propertiesEnd)),
    0,
    frame.propertiesEnd - frame.propertiesStart,
  );
  return {
    type: 'publish',
    topic: bytes.toString('utf8', frame.topicStart, frame.topicEnd),
    payload: Buffer.from(bytes.subarray(frame.payloadStart, frame.payloadEnd)),
    qos,
    retain,
    dup,
    ...(qos === 0 ? {} : { packetId: frame.packetId }),
    ...(frame.propertiesEnd > frame.propertiesStart ? { properties } : {}),
  };
}

function truncated(version: ProtocolVersion, field: string): DecodeFailure {
  const message = `the packet ends within its ${field}`;
  return decodeFailure('malformed_packet', version, ANY_VIOLATION.five, ANY_VIOLATION.below, message, 'publish');
}

function notMinimal(): DecodeFailure {
  const message = 'the property length is not encoded in the fewest bytes';
  return decodeFailure('malformed_packet', 5, 'MQTT-1.5.5-1', 'MQTT-1.5.5-1', message, 'publish');
}

function topicFailure(version: ProtocolVersion, form: number): DecodeFailure {
  if (form === TOPIC_WILDCARD) {
    const message = 'the topic name holds a wildcard';
    return decodeFailure('malformed_packet', version, 'MQTT-3.3.2-2', 'MQTT-3.3.2-2', message, 'publish');
  }
  if (form === UTF8_NULL) {
    const message = 'the topic name holds the null character U+0000';
    return decodeFailure('malformed_packet', version, 'MQTT-1.5.4-2', 'MQTT-1.5.3-2', message, 'publish');
  }
  const message = 'the topic name is not well-formed UTF-8';
  return decodeFailure('malformed_packet', version, 'MQTT-1.5.4-1', 'MQTT-1.5.3-1', message, 'publish');
}

function packetIdFailure(version: ProtocolVersion, sender: Sender): DecodeFailure {
  const five = sender === 'client' ? 'MQTT-2.2.1-3' : 'MQTT-2.2.1-4';
  const message = 'the packet identifier is 0';
  return decodeFailure('protocol_error', version, five, 'MQTT-2.3.1-1', message, 'publish');
}

function emptyTopic(version: ProtocolVersion): DecodeFailure {
  const message = version === 5 ? 'the topic name is empty and no topic alias is given' : 'the topic name is empty';
  return decodeFailure('protocol_error', version, ANY_VIOLATION.five, 'MQTT-4.7.3-1', message, 'publish');
}
