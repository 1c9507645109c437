import type { ByteReader } from './byte-reader.ts';
import { readProperties } from './decode-properties.ts';
import type { Connect, ProtocolVersion, QoS, Will } from './packets.ts';
import { PLACES } from './properties.ts';

const USERNAME_FLAG = 0x80;
const PASSWORD_FLAG = 0x40;
const WILL_RETAIN_FLAG = 0x20;
const WILL_FLAG = 0x04;
const CLEAN_START_FLAG = 0x02;
const RESERVED_FLAG = 0x01;

/**
 * Reads CONNECT (MQTT 5 section 3.1, MQTT 3.1.1 section 3.1). Sets the reader's version as soon as it is known. Answers
 * undefined if no version could be agreed; otherwise the packet counts only if the reader has not failed.
 */
export function decodeConnect(reader: ByteReader): Connect | undefined {
  const protocolVersion = readVersion(reader);
  if (protocolVersion === undefined) return undefined;
  reader.version = protocolVersion;

  const flags = reader.byte('connect flags');
  checkFlags(reader, flags);
  const keepAlive = reader.two('keep alive');
  const properties = readProperties(reader, PLACES.connect);
  const clientId = reader.string('client identifier');
  const will = flags & WILL_FLAG ? readWill(reader, flags) : undefined;

  // MQTT 3.1 section 3.1: the remaining length goes before these two flags, so the fields may be missing.
  const mayBeMissing = protocolVersion === 3;
  const hasUsername = (flags & USERNAME_FLAG) !== 0 && !(mayBeMissing && reader.remaining === 0);
  const username = hasUsername ? reader.string('user name') : undefined;
  const hasPassword = (flags & PASSWORD_FLAG) !== 0 && !(mayBeMissing && reader.remaining === 0);
  const password = hasPassword ? reader.binary('password') : undefined;
  reader.finish();

  const cleanStart = (flags & CLEAN_START_FLAG) !== 0;
  if (clientId === '' && !cleanStart && protocolVersion === 4) {
    const message = 'the client identifier is empty and clean session is 0';
    reader.fail('client_identifier_not_valid', 'MQTT-3.1.3-8', 'MQTT-3.1.3-8', message);
  }
  return {
    type: 'connect',
    protocolVersion,
    cleanStart,
    keepAlive,
    clientId,
    ...(will && { will }),
    ...(username !== undefined && { username }),
    ...(password && { password }),
    ...(properties && { properties }),
  };
}

function readVersion(reader: ByteReader): ProtocolVersion | undefined {
  const name = reader.string('protocol name');
  if (reader.failure !== undefined) return undefined;
  if (name !== 'MQTT' && name !== 'MQIsdp') {
    reader.fail('unsupported_protocol_version', 'MQTT-3.1.2-1', 'MQTT-3.1.2-1', 'the protocol name is not MQTT');
    return undefined;
  }
  const level = reader.byte('protocol version');
  if (reader.failure !== undefined) return undefined;
  if (name === 'MQIsdp' ? level === 3 : level === 4 || level === 5) return level as ProtocolVersion;
  const message = `version ${level} of protocol ${name} is not supported`;
  reader.fail('unsupported_protocol_version', 'MQTT-3.1.2-2', 'MQTT-3.1.2-2', message);
  return undefined;
}

function checkFlags(reader: ByteReader, flags: number): void {
  if (flags & RESERVED_FLAG) {
    reader.fail('malformed_packet', 'MQTT-3.1.2-3', 'MQTT-3.1.2-3', 'the reserved connect flag is set');
  }
  const willQos = (flags >> 3) & 3;
  if ((flags & WILL_FLAG) === 0) {
    if (willQos !== 0) {
      reader.fail('malformed_packet', 'MQTT-3.1.2-11', 'MQTT-3.1.2-13', 'will QoS is set without the will flag');
    }
    if (flags & WILL_RETAIN_FLAG) {
      reader.fail('malformed_packet', 'MQTT-3.1.2-13', 'MQTT-3.1.2-15', 'will retain is set without the will flag');
    }
  } else if (willQos === 3) {
    reader.fail('malformed_packet', 'MQTT-3.1.2-12', 'MQTT-3.1.2-14', 'will QoS is 3');
  }
  // MQTT 5 dropped this rule (section 3.1.2.9).
  if (reader.version < 5 && flags & PASSWORD_FLAG && !(flags & USERNAME_FLAG)) {
    reader.fail('malformed_packet', 'MQTT-3.1.2-22', 'MQTT-3.1.2-22', 'a password comes without a user name');
  }
}

function readWill(reader: ByteReader, flags: number): Will {
  const properties = readProperties(reader, PLACES.will);
  const topic = reader.topicName('will topic');
  const payload = reader.binary('will payload');
  return {
    topic,
    payload,
    qos: ((flags >> 3) & 3) as QoS,
    retain: (flags & WILL_RETAIN_FLAG) !== 0,
    ...(properties && { properties }),
  };
}
