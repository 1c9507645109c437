import { describe, expect, test } from 'vitest';
import { Decoder, type ProtocolVersion, reasonCodeName } from '../src/index.ts';
import { decode, malformed, packetOf, protocolError, refusalOf } from './decoding.ts';

const TYPES = [
  ['puback', 0x40, 'MQTT-3.4.2-1'],
  ['pubrec', 0x50, 'MQTT-3.5.2-1'],
  ['pubrel', 0x62, 'MQTT-3.6.2-1'],
  ['pubcomp', 0x70, 'MQTT-3.7.2-1'],
] as const;

describe.each(TYPES)('%s', (type, first, statement) => {
  test('reason code and properties may be left out', () => {
    for (const rest of [[], [0], [0, 0]]) {
      expect(decode([packetOf(first, [0, 7], rest)], { version: 5 }).packets).toEqual([
        { type, packetId: 7, reasonCode: 0 },
      ]);
    }
  });

  test(`${statement}: only its own reason codes`, () => {
    expect(refusalOf(packetOf(first, [0, 7], 0x8e), 5)).toEqual(protocolError(statement));
    expect(refusalOf(packetOf(first, [0, 7], 0x01), 5)).toEqual(protocolError(statement));
  });

  test('packet identifier 0: MQTT-2.2.1-5 in 5, MQTT-2.3.1-6 in 3.1.1', () => {
    expect(refusalOf(packetOf(first, [0, 0]), 5)).toEqual(protocolError('MQTT-2.2.1-5'));
    expect(refusalOf(packetOf(first, [0, 0]), 4)).toEqual(protocolError('MQTT-2.3.1-6'));
  });

  test('bytes too few or too many are malformed', () => {
    expect(refusalOf(packetOf(first, [0]), 4)).toEqual(malformed('MQTT-4.8.0-1'));
    expect(refusalOf(packetOf(first, [0, 7, 0]), 4)).toEqual(malformed('MQTT-4.8.0-1'));
    expect(refusalOf(packetOf(first, [0, 7, 0, 0, 0]), 5)).toEqual(malformed('MQTT-4.13.1-1'));
  });
});

describe('PINGREQ', () => {
  test('has no body', () => {
    expect(refusalOf(packetOf(0xc0, 0), 4)).toEqual(malformed('MQTT-4.8.0-1'));
  });
});

describe('DISCONNECT', () => {
  test('is a normal one without a reason code', () => {
    for (const rest of [[], [0], [0, 0]]) {
      expect(decode([packetOf(0xe0, rest)], { version: 5 }).packets).toEqual([{ type: 'disconnect', reasonCode: 0 }]);
    }
  });

  test('has no body below 5', () => {
    expect(refusalOf(packetOf(0xe0, 0), 4)).toEqual(malformed('MQTT-4.8.0-1'));
  });

  test('MQTT-3.14.2-1: only reason codes of the sender', () => {
    expect(refusalOf(packetOf(0xe0, 0x01), 5)).toEqual(protocolError('MQTT-3.14.2-1'));
    expect(refusalOf(packetOf(0xe0, 0x8e), 5)).toEqual(protocolError('MQTT-3.14.2-1'));
    expect(refusalOf(packetOf(0xe0, 0x04), 5, 'server')).toEqual(protocolError('MQTT-3.14.2-1'));
    expect(decode([packetOf(0xe0, 0x04)], { version: 5 }).packets).toHaveLength(1);
  });

  test('MQTT-3.14.2-2: a server sends no session expiry interval', () => {
    const packet = packetOf(0xe0, 0, 5, [0x11, 0, 0, 0, 1]);
    expect(refusalOf(packet, 5, 'server')).toEqual(protocolError('MQTT-3.14.2-2'));
    expect(decode([packet], { version: 5 }).packets).toMatchObject([{ properties: { sessionExpiryInterval: 1 } }]);
  });
});

describe('AUTH', () => {
  const method = [0x15, 0, 1, 0x6d];

  test('MQTT-3.15.2-1: only reason codes of the sender', () => {
    expect(refusalOf(packetOf(0xf0, 0x80, 4, method), 5)).toEqual(protocolError('MQTT-3.15.2-1'));
    expect(refusalOf(packetOf(0xf0, 0x00, 4, method), 5)).toEqual(protocolError('MQTT-3.15.2-1'));
    expect(refusalOf(packetOf(0xf0, 0x19, 4, method), 5, 'server')).toEqual(protocolError('MQTT-3.15.2-1'));
    expect(decode([packetOf(0xf0, 0x18, 4, method)], { version: 5 }).packets).toHaveLength(1);
  });

  test('names its method', () => {
    expect(refusalOf(packetOf(0xf0, 0x18, 0), 5)).toEqual(protocolError('MQTT-4.13.1-1'));
  });

  test('an empty one from a client would claim success, which only a server may say', () => {
    expect(refusalOf(packetOf(0xf0), 5)).toEqual(protocolError('MQTT-3.15.2-1'));
    expect(decode([packetOf(0xf0)], { version: 5, from: 'server' }).packets).toEqual([{ type: 'auth', reasonCode: 0 }]);
  });
});

describe('reasonCodeName', () => {
  test('reads a code as its packet type means it', () => {
    expect(reasonCodeName(0, 'disconnect')).toBe('Normal disconnection');
    expect(reasonCodeName(0, 'suback')).toBe('Granted QoS 0');
    expect(reasonCodeName(0, 'puback')).toBe('Success');
    expect(reasonCodeName(0x87, 'connack')).toBe('Not authorized');
    expect(reasonCodeName(5, 'connack')).toBe('Not authorized');
    expect(reasonCodeName(0xfe, 'connack')).toBe('0xfe');
  });
});

describe('a receiver that takes PUBACK without an object', () => {
  function heard(bytes: readonly number[], version: ProtocolVersion) {
    const found: unknown[] = [];
    const decoder = new Decoder({ maximumPacketSize: 1000, from: 'client', version });
    const failure = decoder.push(Buffer.from(bytes), {
      publish: () => found.push('publish'),
      packet: (packet) => found.push(packet),
      puback: (packetId) => found.push(packetId),
    });
    return { found, failure };
  }

  test.each([3, 4, 5] as const)('hears the identifier of one that says nothing but yes (version %i)', (version) => {
    expect(heard([0x40, 2, 0x12, 0x34, 0x40, 2, 0, 1, 0xc0, 0], version)).toEqual({
      found: [0x1234, 1, { type: 'pingreq' }],
      failure: undefined,
    });
  });

  test('gets one with a reason code as a packet', () => {
    expect(heard([0x40, 3, 0, 7, 0x80], 5).found).toEqual([{ type: 'puback', packetId: 7, reasonCode: 0x80 }]);
  });

  test.each([3, 4, 5] as const)('is spared one without an identifier (version %i)', (version) => {
    const { found, failure } = heard([0x40, 2, 0, 0], version);
    expect(found).toEqual([]);
    expect(failure?.code).toBe('protocol_error');
  });

  test.each([3, 4, 5] as const)('is spared one with flags (version %i)', (version) => {
    const { found, failure } = heard([0x42, 2, 0, 1], version);
    expect(found).toEqual([]);
    expect(failure?.code).toBe('malformed_packet');
  });
});
