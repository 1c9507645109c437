import { describe, expect, test } from 'vitest';
import { EncodeError, encode, type Packet, type ProtocolVersion } from '../src/index.ts';

const publish = { type: 'publish', topic: 't', payload: Buffer.alloc(0), qos: 0, retain: false, dup: false } as const;
const connect = { type: 'connect', protocolVersion: 4, cleanStart: true, keepAlive: 0, clientId: 'a' } as const;
const subscription = { filter: 'a', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
const will = { topic: 't', payload: Buffer.alloc(0), qos: 0, retain: false } as const;

const REFUSED: [string, Packet, ProtocolVersion][] = [
  ['a topic above 65,535 bytes', { ...publish, topic: 'é'.repeat(32_768) }, 4],
  ['a topic with a wildcard', { ...publish, topic: 'a/+' }, 4],
  ['a topic with U+0000', { ...publish, topic: 'a\0' }, 4],
  ['a topic with a lone surrogate', { ...publish, topic: 'a\uDC00' }, 4],
  ['an empty topic', { ...publish, topic: '' }, 4],
  ['an empty topic without an alias', { ...publish, topic: '' }, 5],
  ['QoS 1 without a packet identifier', { ...publish, qos: 1 }, 4],
  ['packet identifier 0', { ...publish, qos: 1, packetId: 0 }, 4],
  ['packet identifier 65,536', { ...publish, qos: 1, packetId: 65_536 }, 4],
  ['QoS 0 with a packet identifier', { ...publish, packetId: 1 }, 4],
  ['DUP at QoS 0', { ...publish, dup: true }, 4],
  ['properties below 5', { ...publish, properties: { topicAlias: 1 } }, 4],
  ['CONNECT of another version', connect, 5],
  ['a password without a user name below 5', { ...connect, password: Buffer.from('x') }, 4],
  ['an empty client id without clean session', { ...connect, clientId: '', cleanStart: false }, 4],
  ['a keep alive above 65,535 s', { ...connect, keepAlive: 65_536 }, 4],
  ['a will payload above 65,535 bytes', { ...connect, will: { ...will, payload: Buffer.alloc(65_536) } }, 4],
  ['a will topic with a wildcard', { ...connect, will: { ...will, topic: '#' } }, 4],
  ['CONNACK with a reason of 5 in 3.1.1', { type: 'connack', sessionPresent: false, reasonCode: 0x87 }, 4],
  ['CONNACK with a return code in 5', { type: 'connack', sessionPresent: false, reasonCode: 5 }, 5],
  ['a session present on a refusal', { type: 'connack', sessionPresent: true, reasonCode: 0x87 }, 5],
  ['PUBACK with a reason in 3.1.1', { type: 'puback', packetId: 1, reasonCode: 0x87 }, 4],
  ['PUBREL with a reason of PUBACK', { type: 'pubrel', packetId: 1, reasonCode: 0x87 }, 5],
  ['SUBSCRIBE of nothing', { type: 'subscribe', packetId: 1, subscriptions: [] }, 5],
  ['a bad filter', { type: 'subscribe', packetId: 1, subscriptions: [{ ...subscription, filter: 'a#' }] }, 4],
  ['options below 5', { type: 'subscribe', packetId: 1, subscriptions: [{ ...subscription, noLocal: true }] }, 4],
  [
    'no local on a shared subscription',
    { type: 'subscribe', packetId: 1, subscriptions: [{ ...subscription, filter: '$share/g/a', noLocal: true }] },
    5,
  ],
  ['UNSUBSCRIBE of nothing', { type: 'unsubscribe', packetId: 1, filters: [] }, 5],
  ['SUBACK of nothing', { type: 'suback', packetId: 1, reasonCodes: [] }, 5],
  ['SUBACK with a reason of 5 in 3.1.1', { type: 'suback', packetId: 1, reasonCodes: [0x87] }, 4],
  ['UNSUBACK with codes below 5', { type: 'unsuback', packetId: 1, reasonCodes: [0] }, 4],
  ['UNSUBACK without codes in 5', { type: 'unsuback', packetId: 1, reasonCodes: [] }, 5],
  ['DISCONNECT with a reason below 5', { type: 'disconnect', reasonCode: 4 }, 4],
  ['AUTH below 5', { type: 'auth', reasonCode: 0x18 }, 4],
  ['AUTH without a method', { type: 'auth', reasonCode: 0x18 }, 5],
];

describe('encode', () => {
  test.each(REFUSED)('refuses %s', (_what, packet, version) => {
    expect(() => encode(packet, version)).toThrow(EncodeError);
  });

  test('writes CONNACK of 3.1 without session present, which it cannot tell', () => {
    expect([...encode({ type: 'connack', sessionPresent: true, reasonCode: 0 }, 3)]).toEqual([0x20, 2, 0, 0]);
  });

  test('writes the remaining length of large packets', () => {
    for (const [size, header] of [
      [124, 2],
      [125, 3],
      [16_380, 3],
      [16_381, 4],
      [2_097_148, 4],
      [2_097_149, 5],
    ] as const) {
      const encoded = encode({ ...publish, payload: Buffer.alloc(size) }, 4);
      expect(encoded.length).toBe(header + 3 + size);
    }
  });
});
