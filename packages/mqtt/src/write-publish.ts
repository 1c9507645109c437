import { EncodeError } from './encode-error.ts';
import type { AcknowledgementType, ProtocolVersion, QoS } from './packets.ts';
import { copyBytes, type Slab } from './slab.ts';
import {
  VARIABLE_BYTE_INTEGER_MAXIMUM,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from './variable-byte-integer.ts';

const NO_PROPERTIES = new Uint8Array(0);

/** Bytes of a PUBLISH on the wire. Lengths are those of the topic, the payload and the properties (without their length). */
export function publishSize(
  version: ProtocolVersion,
  topicLength: number,
  payloadLength: number,
  qos: QoS,
  propertiesLength = 0,
): number {
  const remaining = remainingSize(version, topicLength, payloadLength, qos, propertiesLength);
  return 1 + variableByteIntegerSize(remaining) + remaining;
}

function remainingSize(
  version: ProtocolVersion,
  topicLength: number,
  payloadLength: number,
  qos: QoS,
  propertiesLength: number,
): number {
  const properties = version === 5 ? variableByteIntegerSize(propertiesLength) + propertiesLength : 0;
  return 2 + topicLength + (qos === 0 ? 0 : 2) + properties + payloadLength;
}

/**
 * Writes a PUBLISH of parts that are known to be well-formed, and answers the offset of the packet identifier in
 * `slab.bytes`, for `patchPacketId`; -1 at QoS 0. The offset is good until the next `reserve` of the slab.
 *
 * `properties` are encoded, without their length; they are left out below MQTT 5. Throws EncodeError for a topic above
 * 65,535 bytes and a packet above 268,435,455.
 */
export function writePublish(
  slab: Slab,
  version: ProtocolVersion,
  topic: Uint8Array,
  payload: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  packetId: number,
  properties: Uint8Array = NO_PROPERTIES,
): number {
  const topicLength = topic.length;
  const remaining = remainingSize(version, topicLength, payloadEnd - payloadStart, qos, properties.length);
  if (topicLength > 0xffff || remaining > VARIABLE_BYTE_INTEGER_MAXIMUM) {
    throw new EncodeError(`a PUBLISH cannot have a topic of ${topicLength} bytes or ${remaining} bytes in all`);
  }
  let offset = slab.reserve(1 + variableByteIntegerSize(remaining) + remaining);
  const bytes = slab.bytes;
  bytes[offset] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  offset = writeVariableByteInteger(bytes, offset + 1, remaining);
  bytes[offset] = topicLength >> 8;
  bytes[offset + 1] = topicLength & 0xff;
  offset += 2;
  copyBytes(bytes, offset, topic, 0, topicLength);
  offset += topicLength;
  let packetIdOffset = -1;
  if (qos !== 0) {
    packetIdOffset = offset;
    bytes[offset] = packetId >> 8;
    bytes[offset + 1] = packetId & 0xff;
    offset += 2;
  }
  if (version === 5) {
    offset = writeVariableByteInteger(bytes, offset, properties.length);
    if (properties.length > 0) {
      copyBytes(bytes, offset, properties, 0, properties.length);
      offset += properties.length;
    }
  }
  copyBytes(bytes, offset, payload, payloadStart, payloadEnd);
  return packetIdOffset;
}

/** Sets the packet identifier of a PUBLISH that `writePublish` has written, or of a copy of it. */
export function patchPacketId(bytes: Uint8Array, offset: number, packetId: number): void {
  bytes[offset] = packetId >> 8;
  bytes[offset + 1] = packetId & 0xff;
}

const FIRST_BYTES: Record<AcknowledgementType, number> = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 };

/** Writes an acknowledgement without properties. Below MQTT 5 there is no room for the reason code, and it is left out. */
export function writeAck(
  slab: Slab,
  type: AcknowledgementType,
  packetId: number,
  reasonCode: number,
  version: ProtocolVersion,
): void {
  const hasReason = version === 5 && reasonCode !== 0;
  const offset = slab.reserve(hasReason ? 5 : 4);
  const bytes = slab.bytes;
  bytes[offset] = FIRST_BYTES[type];
  bytes[offset + 1] = hasReason ? 3 : 2;
  bytes[offset + 2] = packetId >> 8;
  bytes[offset + 3] = packetId & 0xff;
  if (hasReason) bytes[offset + 4] = reasonCode;
}
