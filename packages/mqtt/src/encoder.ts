import { ByteWriter } from './byte-writer.ts';
import { encodeConnAck, encodeConnect } from './encode-connect.ts';
import { EncodeError } from './encode-error.ts';
import { hasProperties, writeProperties } from './encode-properties.ts';
import { encodeSubAck, encodeSubscribe, encodeUnsubAck, encodeUnsubscribe } from './encode-subscribe.ts';
import type { Auth, Disconnect, Packet, ProtocolVersion, PubAck, PubComp, Publish, PubRec, PubRel } from './packets.ts';
import { PLACES, type Properties } from './properties.ts';
import { isReasonCodeOf } from './reason-codes.ts';

const FIRST_BYTES = {
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
} as const;

/**
 * Encodes any packet for a version of the protocol. Throws EncodeError for what the protocol cannot express there: a
 * string above 65,535 bytes, a packet identifier of 0, a property or reason code of another packet type or version.
 */
export function encode(packet: Packet, version: ProtocolVersion): Buffer {
  switch (packet.type) {
    case 'connect':
      return encodeConnect(packet, version);
    case 'connack':
      return encodeConnAck(packet, version);
    case 'publish':
      return encodePublish(packet, version);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return encodeAcknowledgement(packet, version);
    case 'subscribe':
      return encodeSubscribe(packet, version);
    case 'suback':
      return encodeSubAck(packet, version);
    case 'unsubscribe':
      return encodeUnsubscribe(packet, version);
    case 'unsuback':
      return encodeUnsubAck(packet, version);
    case 'pingreq':
      return Buffer.from([0xc0, 0]);
    case 'pingresp':
      return Buffer.from([0xd0, 0]);
    case 'disconnect':
      return encodeDisconnect(packet, version);
    case 'auth':
      return encodeAuth(packet, version);
  }
}

function encodePublish(packet: Publish, version: ProtocolVersion): Buffer {
  const { topic, payload, qos, retain, dup, properties } = packet;
  const writer = new ByteWriter(payload.length + topic.length + 32);
  if (topic === '' && version === 5 && properties?.topicAlias !== undefined) writer.two(0, 'topic');
  else writer.topicName(topic, 'topic');
  if (qos > 0) writer.packetId(packet.packetId);
  else if (dup) throw new EncodeError('DUP cannot be set at QoS 0');
  else if (packet.packetId !== undefined) throw new EncodeError('QoS 0 has no packet identifier');
  writeProperties(writer, properties, PLACES.publishFromClient | PLACES.publishFromServer, 'publish', version);
  writer.raw(payload);
  return writer.finish(0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0));
}

function encodeAcknowledgement(packet: PubAck | PubRec | PubRel | PubComp, version: ProtocolVersion): Buffer {
  const { type, packetId, reasonCode, properties } = packet;
  demandReasonCode(packet, version);
  const writer = new ByteWriter(4);
  writer.packetId(packetId);
  writeReason(writer, reasonCode, properties, PLACES[type], type, version);
  return writer.finish(FIRST_BYTES[type]);
}

function encodeDisconnect(packet: Disconnect, version: ProtocolVersion): Buffer {
  demandReasonCode(packet, version);
  const writer = new ByteWriter(4);
  const places = PLACES.disconnectFromClient | PLACES.disconnectFromServer;
  writeReason(writer, packet.reasonCode, packet.properties, places, 'disconnect', version);
  return writer.finish(0xe0);
}

function encodeAuth(packet: Auth, version: ProtocolVersion): Buffer {
  if (version < 5) throw new EncodeError('there is no AUTH below MQTT 5');
  demandReasonCode(packet, version);
  const writer = new ByteWriter(32);
  if (packet.reasonCode !== 0 && packet.properties?.authenticationMethod === undefined) {
    throw new EncodeError('AUTH needs authenticationMethod');
  }
  writeReason(writer, packet.reasonCode, packet.properties, PLACES.auth, 'auth', version);
  return writer.finish(0xf0);
}

/** Reason code and properties, each left out where the default is meant (MQTT 5 sections 3.4.2.1 and 3.14.2.1). */
function writeReason(
  writer: ByteWriter,
  reasonCode: number,
  properties: Properties | undefined,
  places: number,
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'disconnect' | 'auth',
  version: ProtocolVersion,
): void {
  if (version < 5 || hasProperties(properties)) {
    if (version === 5) writer.byte(reasonCode, 'reason code');
    writeProperties(writer, properties, places, type, version);
  } else if (reasonCode !== 0) writer.byte(reasonCode, 'reason code');
}

function demandReasonCode(packet: { type: Packet['type']; reasonCode: number }, version: ProtocolVersion): void {
  if (isReasonCodeOf(packet.reasonCode, packet.type, version)) return;
  const type = packet.type.toUpperCase();
  throw new EncodeError(`reason code ${packet.reasonCode} does not belong on ${type} in version ${version}`);
}
