import { ByteWriter } from './byte-writer.ts';
import { EncodeError } from './encode-error.ts';
import { writeProperties } from './encode-properties.ts';
import type { ConnAck, Connect, ProtocolVersion } from './packets.ts';
import { PLACES } from './properties.ts';
import { isReasonCodeOf } from './reason-codes.ts';

/** Encodes CONNECT (MQTT 5 section 3.1). */
export function encodeConnect(packet: Connect, version: ProtocolVersion): Buffer {
  const { will, username, password } = packet;
  if (packet.protocolVersion !== version) {
    throw new EncodeError(`a CONNECT of version ${packet.protocolVersion} cannot be sent in version ${version}`);
  }
  if (version < 5 && password !== undefined && username === undefined) {
    throw new EncodeError('a password needs a user name below MQTT 5');
  }
  if (version === 4 && packet.clientId === '' && !packet.cleanStart) {
    throw new EncodeError('an empty client identifier needs a clean session');
  }
  const writer = new ByteWriter(128);
  writer.string(version === 3 ? 'MQIsdp' : 'MQTT', 'protocol name');
  writer.byte(version, 'protocol version');
  writer.byte(flagsOf(packet), 'connect flags');
  writer.two(packet.keepAlive, 'keepAlive');
  writeProperties(writer, packet.properties, PLACES.connect, 'connect', version);
  writer.string(packet.clientId, 'clientId');
  if (will !== undefined) {
    writeProperties(writer, will.properties, PLACES.will, 'connect', version);
    writer.topicName(will.topic, 'will topic');
    writer.binary(will.payload, 'will payload');
  }
  if (username !== undefined) writer.string(username, 'username');
  if (password !== undefined) writer.binary(password, 'password');
  return writer.finish(0x10);
}

function flagsOf({ username, password, will, cleanStart }: Connect): number {
  let flags = cleanStart ? 0x02 : 0;
  if (will !== undefined) flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
  if (password !== undefined) flags |= 0x40;
  if (username !== undefined) flags |= 0x80;
  return flags;
}

/** Encodes CONNACK (MQTT 5 section 3.2). MQTT 3.1 cannot tell whether a session was present. */
export function encodeConnAck(packet: ConnAck, version: ProtocolVersion): Buffer {
  const { sessionPresent, reasonCode, properties } = packet;
  if (!isReasonCodeOf(reasonCode, 'connack', version)) {
    throw new EncodeError(`reason code ${reasonCode} does not belong on CONNACK in version ${version}`);
  }
  if (sessionPresent && reasonCode !== 0) throw new EncodeError('a refusal cannot say that a session is present');
  const writer = new ByteWriter(16);
  writer.byte(sessionPresent && version > 3 ? 1 : 0, 'connect acknowledge flags');
  writer.byte(reasonCode, 'reason code');
  writeProperties(writer, properties, PLACES.connack, 'connack', version);
  return writer.finish(0x20);
}
