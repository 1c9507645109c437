import { describe, expect, test } from 'vitest';
import { decode, malformed, packetOf, protocolError, refusalOf } from './decoding.ts';

const CLEAN = 0x02;

function connect(version: 3 | 4 | 5, flags: number, ...rest: Parameters<typeof packetOf>[1][]): Buffer {
  const name = version === 3 ? 'MQIsdp' : 'MQTT';
  return packetOf(0x10, name, version, flags, [0, 60], ...(version === 5 ? [0] : []), ...rest);
}

describe('CONNECT', () => {
  test('of 3.1, 3.1.1 and 5 sets the version of the decoder', () => {
    for (const version of [3, 4, 5] as const) {
      const { packets, failure, decoder } = decode([connect(version, CLEAN, 'pump')]);
      expect(failure).toBeUndefined();
      expect(packets).toEqual([
        { type: 'connect', protocolVersion: version, cleanStart: true, keepAlive: 60, clientId: 'pump' },
      ]);
      expect(decoder.version).toBe(version);
    }
  });

  test('MQTT-3.1.0-1: another first packet is refused, before its body has come', () => {
    for (const first of [0x30, 0xc0, 0x82, 0xe0, 0xf0, 0x20, 0x00]) {
      const { failure } = decode([Buffer.from([first])]);
      expect(failure).toMatchObject(protocolError('MQTT-3.1.0-1'));
    }
  });

  test('a second CONNECT is well-formed: the broker ends the connection', () => {
    const { packets } = decode([connect(4, CLEAN, 'a'), connect(4, CLEAN, 'b')]);
    expect(packets.map((packet) => packet.type)).toEqual(['connect', 'connect']);
  });

  test('MQTT-3.1.2-1: another protocol name is an unsupported version', () => {
    expect(refusalOf(packetOf(0x10, 'MQTTX', 5, CLEAN, [0, 60], 0, 'a'))).toEqual({
      code: 'unsupported_protocol_version',
      reasonCode: 0x84,
      statement: 'MQTT-3.1.2-1',
    });
    expect(refusalOf(packetOf(0x10, 'mqtt', 4, CLEAN, [0, 60], 'a')).code).toBe('unsupported_protocol_version');
  });

  test.each([
    ['MQTT', 3],
    ['MQTT', 6],
    ['MQTT', 0x84],
    ['MQIsdp', 4],
    ['MQIsdp', 5],
    ['MQIsdp', 0x83],
  ])('MQTT-3.1.2-2: %s with version %i is unsupported', (name, version) => {
    expect(refusalOf(packetOf(0x10, name, version, CLEAN, [0, 60], 'a'))).toEqual({
      code: 'unsupported_protocol_version',
      reasonCode: 0x84,
      statement: 'MQTT-3.1.2-2',
    });
  });

  test.each([4, 5] as const)('MQTT-3.1.2-3: the reserved flag must be 0 (version %i)', (version) => {
    expect(refusalOf(connect(version, CLEAN | 1, 'a'))).toEqual(malformed('MQTT-3.1.2-3'));
  });

  test('will QoS without the will flag: MQTT-3.1.2-11 in 5, MQTT-3.1.2-13 in 3.1.1', () => {
    expect(refusalOf(connect(5, CLEAN | 0x08, 'a'))).toEqual(malformed('MQTT-3.1.2-11'));
    expect(refusalOf(connect(4, CLEAN | 0x10, 'a'))).toEqual(malformed('MQTT-3.1.2-13'));
  });

  test('will retain without the will flag: MQTT-3.1.2-13 in 5, MQTT-3.1.2-15 in 3.1.1', () => {
    expect(refusalOf(connect(5, CLEAN | 0x20, 'a'))).toEqual(malformed('MQTT-3.1.2-13'));
    expect(refusalOf(connect(4, CLEAN | 0x20, 'a'))).toEqual(malformed('MQTT-3.1.2-15'));
  });

  test('will QoS 3: MQTT-3.1.2-12 in 5, MQTT-3.1.2-14 in 3.1.1', () => {
    expect(refusalOf(connect(5, CLEAN | 0x1c, 'a', 0, 't', 'p'))).toEqual(malformed('MQTT-3.1.2-12'));
    expect(refusalOf(connect(4, CLEAN | 0x1c, 'a', 't', 'p'))).toEqual(malformed('MQTT-3.1.2-14'));
  });

  test('will topic with a wildcard: MQTT-4.7.0-1 in 5, MQTT-4.7.1-1 in 3.1.1', () => {
    expect(refusalOf(connect(5, CLEAN | 4, 'a', 0, 't/#', 'p'))).toEqual(malformed('MQTT-4.7.0-1'));
    expect(refusalOf(connect(4, CLEAN | 4, 'a', 't/+', 'p'))).toEqual(malformed('MQTT-4.7.1-1'));
  });

  test('MQTT-4.7.3-1: the will topic may not be empty', () => {
    expect(refusalOf(connect(4, CLEAN | 4, 'a', '', 'p'))).toEqual(malformed('MQTT-4.7.3-1'));
  });

  test('MQTT-3.1.2-22: a password without a user name is refused in 3.1.1 and accepted in 5', () => {
    expect(refusalOf(connect(4, CLEAN | 0x40, 'a', 'secret'))).toEqual(malformed('MQTT-3.1.2-22'));
    expect(decode([connect(5, CLEAN | 0x40, 'a', 'secret')]).packets).toHaveLength(1);
  });

  test('MQTT-3.1.3-8: an empty client identifier without clean session is refused in 3.1.1 only', () => {
    expect(refusalOf(connect(4, 0, ''))).toEqual({
      code: 'client_identifier_not_valid',
      reasonCode: 0x85,
      statement: 'MQTT-3.1.3-8',
    });
    expect(decode([connect(5, 0, '')]).packets).toHaveLength(1);
    expect(decode([connect(4, CLEAN, '')]).packets).toHaveLength(1);
  });

  test('MQTT-3.1.4-1: missing fields and bytes behind the last are refused', () => {
    expect(refusalOf(connect(4, CLEAN | 0x80, 'a'))).toEqual(malformed('MQTT-3.1.4-1'));
    expect(refusalOf(connect(4, CLEAN | 0x04, 'a', 'topic'))).toEqual(malformed('MQTT-3.1.4-1'));
    expect(refusalOf(connect(4, CLEAN, 'a', 0))).toEqual(malformed('MQTT-3.1.4-1'));
    expect(refusalOf(connect(5, CLEAN, 'a', 0))).toEqual(malformed('MQTT-3.1.4-1'));
    expect(refusalOf(packetOf(0x10))).toEqual(malformed('MQTT-3.1.4-1'));
  });

  test('3.1 allows user name and password to be missing though their flags are set', () => {
    expect(decode([connect(3, CLEAN | 0xc0, 'a')]).packets).toEqual([
      { type: 'connect', protocolVersion: 3, cleanStart: true, keepAlive: 60, clientId: 'a' },
    ]);
    expect(decode([connect(3, CLEAN | 0xc0, 'a', 'name')]).packets).toMatchObject([{ username: 'name' }]);
  });

  test.each([
    ['client identifier', CLEAN, [[0, 2, 0xc3, 0x28]]],
    ['user name', CLEAN | 0x80, ['a', [0, 3, 0xed, 0xa0, 0x80]]],
    ['will topic', CLEAN | 4, ['a', [0, 1, 0xff], 'p']],
  ] as const)('ill-formed UTF-8 in the %s: MQTT-1.5.4-1 in 5, MQTT-1.5.3-1 in 3.1.1', (_field, flags, parts) => {
    const [first, ...rest] = parts;
    const five = flags & 4 ? [first!, 0, ...rest] : parts;
    expect(refusalOf(connect(5, flags, ...five))).toEqual(malformed('MQTT-1.5.4-1'));
    expect(refusalOf(connect(4, flags, ...parts))).toEqual(malformed('MQTT-1.5.3-1'));
  });

  test('U+0000: MQTT-1.5.4-2 in 5, MQTT-1.5.3-2 in 3.1.1', () => {
    expect(refusalOf(connect(5, CLEAN, 'a\0b'))).toEqual(malformed('MQTT-1.5.4-2'));
    expect(refusalOf(connect(4, CLEAN, 'a\0b'))).toEqual(malformed('MQTT-1.5.3-2'));
  });

  test('MQTT-1.5.4-3: U+FEFF is not stripped', () => {
    expect(decode([connect(5, CLEAN, '\uFEFFa')]).packets).toMatchObject([{ clientId: '\uFEFFa' }]);
  });

  test('a password and a will payload may be any bytes', () => {
    const packet = connect(4, CLEAN | 0xc4, 'a', 't', [0, 2, 0xff, 0], 'name', [0, 2, 0, 0xff]);
    expect(decode([packet]).packets).toMatchObject([
      { will: { payload: Buffer.from([0xff, 0]) }, password: Buffer.from([0, 0xff]) },
    ]);
  });

  test('a refused CONNECT still tells in which version the refusal is to be written', () => {
    const { failure, decoder } = decode([connect(5, CLEAN | 1, 'a')]);
    expect(failure?.statement).toBe('MQTT-3.1.2-3');
    expect(decoder.version).toBe(5);
  });

  test('messages never hold what the client sent', () => {
    const { failure } = decode([connect(4, CLEAN | 0x40, 'a', 'hunter2')]);
    expect(JSON.stringify(failure)).not.toContain('hunter2');
  });
});

describe('CONNACK', () => {
  const decoded = (version: 3 | 4 | 5, ...body: Parameters<typeof packetOf>[1][]) =>
    decode([packetOf(0x20, ...body)], { from: 'server', version }).packets;

  test('tells session present and the reason', () => {
    expect(decoded(4, [1, 0])).toEqual([{ type: 'connack', sessionPresent: true, reasonCode: 0 }]);
    expect(decoded(5, [0, 0x87, 0])).toEqual([{ type: 'connack', sessionPresent: false, reasonCode: 0x87 }]);
  });

  test('MQTT-3.2.2-1: reserved flags must be 0', () => {
    expect(refusalOf(packetOf(0x20, [2, 0, 0]), 5, 'server')).toEqual(malformed('MQTT-3.2.2-1'));
    expect(refusalOf(packetOf(0x20, [2, 0]), 4, 'server')).toEqual(malformed('MQTT-4.8.0-1'));
  });

  test('session present on a refusal: MQTT-3.2.2-6 in 5, MQTT-3.2.2-4 in 3.1.1', () => {
    expect(refusalOf(packetOf(0x20, [1, 0x87, 0]), 5, 'server')).toEqual(protocolError('MQTT-3.2.2-6'));
    expect(refusalOf(packetOf(0x20, [1, 5]), 4, 'server')).toEqual(protocolError('MQTT-3.2.2-4'));
  });

  test('MQTT-3.2.2-8: only its own reason codes', () => {
    expect(refusalOf(packetOf(0x20, [0, 0x92, 0]), 5, 'server')).toEqual(protocolError('MQTT-3.2.2-8'));
    expect(refusalOf(packetOf(0x20, [0, 6]), 4, 'server')).toEqual(protocolError('MQTT-4.8.0-1'));
  });
});
