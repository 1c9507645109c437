import { ANY_VIOLATION, type DecodeFailure, decodeFailure } from './decode-failure.ts';
import { PACKET_TYPES, type PacketType, type ProtocolVersion, type Sender } from './packets.ts';

const FROM_CLIENT: ReadonlySet<PacketType> = new Set([
  'connect',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'unsubscribe',
  'pingreq',
  'disconnect',
  'auth',
]);
const FROM_SERVER: ReadonlySet<PacketType> = new Set([
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'pingresp',
  'disconnect',
  'auth',
]);

/** Statements on the flags of the packet types that have one of their own; [MQTT-2.1.3-1] covers the rest. */
const FLAG_STATEMENTS: Partial<Record<PacketType, readonly [five: string, below: string]>> = {
  pubrel: ['MQTT-3.6.1-1', 'MQTT-3.6.1-1'],
  subscribe: ['MQTT-3.8.1-1', 'MQTT-3.8.1-1'],
  unsubscribe: ['MQTT-3.10.1-1', 'MQTT-3.10.1-1'],
  disconnect: ['MQTT-3.14.1-1', 'MQTT-3.14.1-1'],
  auth: ['MQTT-3.15.1-1', 'MQTT-3.15.1-1'],
};

/** Judges the first byte of a packet: type, direction and flags (MQTT 5 section 2.1). */
export function firstByteFailure(byte: number, version: ProtocolVersion, sender: Sender): DecodeFailure | undefined {
  const type = PACKET_TYPES[byte >> 4];
  const flags = byte & 0x0f;
  if (type === undefined || (type === 'auth' && version < 5)) {
    const message = `packet type ${byte >> 4} is reserved`;
    return decodeFailure('malformed_packet', version, ANY_VIOLATION.five, ANY_VIOLATION.below, message, undefined);
  }
  const maySend = sender === 'client' ? FROM_CLIENT : FROM_SERVER;
  if (!maySend.has(type) || (type === 'disconnect' && sender === 'server' && version < 5)) {
    const message = `a ${sender} may not send ${type.toUpperCase()}`;
    return decodeFailure('protocol_error', version, ANY_VIOLATION.five, ANY_VIOLATION.below, message, type);
  }
  if (type === 'publish') return publishFlagsFailure(flags, version);
  const demanded = type === 'pubrel' || type === 'subscribe' || type === 'unsubscribe' ? 0b0010 : 0;
  if (flags === demanded) return undefined;
  // MQTT 3.1 sends these three at QoS 1, and so marks a repetition with DUP (MQTT 3.1 sections 3.6, 3.8 and 3.10).
  if (version === 3 && demanded !== 0 && flags === 0b1010) return undefined;
  const [five, below] = FLAG_STATEMENTS[type] ?? ['MQTT-2.1.3-1', 'MQTT-2.2.2-2'];
  const message = `the reserved flags of ${type.toUpperCase()} are ${flags}, not ${demanded}`;
  return decodeFailure('malformed_packet', version, five, below, message, type);
}

function publishFlagsFailure(flags: number, version: ProtocolVersion): DecodeFailure | undefined {
  const qos = (flags >> 1) & 3;
  if (qos === 3) {
    const message = 'both QoS bits of PUBLISH are set';
    return decodeFailure('malformed_packet', version, 'MQTT-3.3.1-4', 'MQTT-3.3.1-4', message, 'publish');
  }
  if (qos === 0 && (flags & 8) !== 0) {
    const message = 'DUP is set on a PUBLISH of QoS 0';
    return decodeFailure('malformed_packet', version, 'MQTT-3.3.1-2', 'MQTT-3.3.1-2', message, 'publish');
  }
  return undefined;
}

const TABLES = {
  client: { 3: tableOf(3, 'client'), 4: tableOf(4, 'client'), 5: tableOf(5, 'client') },
  server: { 3: tableOf(3, 'server'), 4: tableOf(4, 'server'), 5: tableOf(5, 'server') },
};

function tableOf(version: ProtocolVersion, sender: Sender): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (firstByteFailure(byte, version, sender) ? 1 : 0));
}

/** 256 entries, 1 where `firstByteFailure` has something to say: one look instead of all its questions. */
export function firstByteTable(version: ProtocolVersion, sender: Sender): Uint8Array {
  return TABLES[sender][version];
}
