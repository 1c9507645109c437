import { describe, expect, test } from 'vitest';
import { decode, malformed, packetOf, protocolError, refusalOf } from './decoding.ts';

const subscribe5 = (filter: string, options = 0) => packetOf(0x82, [0, 1], 0, filter, options);
const subscribe4 = (filter: string, qos = 0) => packetOf(0x82, [0, 1], filter, qos);

describe('SUBSCRIBE', () => {
  test('reads every option of 5', () => {
    expect(decode([subscribe5('a/+/#', 0b0010_1110)], { version: 5 }).packets).toEqual([
      {
        type: 'subscribe',
        packetId: 1,
        subscriptions: [{ filter: 'a/+/#', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
      },
    ]);
  });

  test('packet identifier 0: MQTT-2.2.1-3 in 5, MQTT-2.3.1-1 in 3.1.1', () => {
    expect(refusalOf(packetOf(0x82, [0, 0], 0, 'a', 0), 5)).toEqual(protocolError('MQTT-2.2.1-3'));
    expect(refusalOf(packetOf(0x82, [0, 0], 'a', 0), 4)).toEqual(protocolError('MQTT-2.3.1-1'));
  });

  test('no topic filter: MQTT-3.8.3-2 in 5, MQTT-3.8.3-3 in 3.1.1', () => {
    expect(refusalOf(packetOf(0x82, [0, 1], 0), 5)).toEqual(protocolError('MQTT-3.8.3-2'));
    expect(refusalOf(packetOf(0x82, [0, 1]), 4)).toEqual(protocolError('MQTT-3.8.3-3'));
  });

  test('reserved options: MQTT-3.8.3-5 in 5, MQTT-3-8.3-4 in 3.1.1', () => {
    expect(refusalOf(subscribe5('a', 0x40), 5)).toEqual(malformed('MQTT-3.8.3-5'));
    expect(refusalOf(subscribe5('a', 0x80), 5)).toEqual(malformed('MQTT-3.8.3-5'));
    for (const qos of [3, 4, 0x10, 0x80]) expect(refusalOf(subscribe4('a', qos), 4)).toEqual(malformed('MQTT-3-8.3-4'));
  });

  test('QoS 3 and retain handling 3 are protocol errors in 5', () => {
    expect(refusalOf(subscribe5('a', 3), 5)).toEqual(protocolError('MQTT-4.13.1-1'));
    expect(refusalOf(subscribe5('a', 0x30), 5)).toEqual(protocolError('MQTT-4.13.1-1'));
  });

  test('MQTT-3.8.3-4: no local on a shared subscription', () => {
    expect(refusalOf(subscribe5('$share/g/a', 4), 5)).toEqual(protocolError('MQTT-3.8.3-4'));
  });

  test.each(['a#', 'a/#/b', '#/', 'a/b#', '##'])(
    "'#' not last and alone in %s: MQTT-4.7.1-1, MQTT-4.7.1-2",
    (filter) => {
      expect(refusalOf(subscribe5(filter), 5)).toEqual(malformed('MQTT-4.7.1-1'));
      expect(refusalOf(subscribe4(filter), 4)).toEqual(malformed('MQTT-4.7.1-2'));
    },
  );

  test.each(['a+', '+a', 'a/b+/c', '++', '+#'])("'+' not a whole level in %s: MQTT-4.7.1-2, MQTT-4.7.1-3", (filter) => {
    expect(refusalOf(subscribe5(filter), 5)).toEqual(malformed('MQTT-4.7.1-2'));
    expect(refusalOf(subscribe4(filter), 4)).toEqual(malformed('MQTT-4.7.1-3'));
  });

  test.each(['#', '+', '/', '/#', '+/+/#', 'a//b', '$SYS/#', ' ', '$share', '$shared/+'])('accepts %s', (filter) => {
    expect(decode([subscribe5(filter)], { version: 5 }).packets).toHaveLength(1);
    expect(decode([subscribe4(filter)], { version: 4 }).packets).toHaveLength(1);
  });

  test('MQTT-4.7.3-1: an empty filter', () => {
    expect(refusalOf(subscribe5(''), 5)).toEqual(malformed('MQTT-4.7.3-1'));
  });

  test('MQTT-4.8.2-1: an empty share name', () => {
    expect(refusalOf(subscribe5('$share//a'), 5)).toEqual(malformed('MQTT-4.8.2-1'));
    expect(refusalOf(subscribe5('$share/'), 5)).toEqual(malformed('MQTT-4.8.2-1'));
  });

  test.each(['$share/g', '$share/g/', '$share/g+/a', '$share/#/a', '$share/+/a', '$share/#'])(
    'MQTT-4.8.2-2: the share name and what follows it in %s',
    (filter) => {
      expect(refusalOf(subscribe5(filter), 5)).toEqual(malformed('MQTT-4.8.2-2'));
    },
  );

  test('the filter of a shared subscription follows the rules of filters', () => {
    expect(refusalOf(subscribe5('$share/g/a#'), 5)).toEqual(malformed('MQTT-4.7.1-1'));
    expect(decode([subscribe5('$share/g//')], { version: 5 }).packets).toHaveLength(1);
  });

  test('$share is a topic like any other below 5', () => {
    expect(decode([subscribe4('$share//a')], { version: 4 }).packets).toHaveLength(1);
  });

  test('U+0000 and ill-formed UTF-8: MQTT-1.5.4-2 and -1 in 5, MQTT-1.5.3-2 and -1 in 3.1.1', () => {
    expect(refusalOf(subscribe5('a\0'), 5)).toEqual(malformed('MQTT-1.5.4-2'));
    expect(refusalOf(packetOf(0x82, [0, 1], [0, 1, 0xff], 0), 4)).toEqual(malformed('MQTT-1.5.3-1'));
  });

  test('a filter without options is malformed', () => {
    expect(refusalOf(packetOf(0x82, [0, 1], 'a'), 4)).toEqual(malformed('MQTT-4.8.0-1'));
    expect(refusalOf(packetOf(0x82, [0, 1], 0, 'a', 0, [0, 9]), 5)).toEqual(malformed('MQTT-4.13.1-1'));
  });

  test('subscription identifier: 0 and a second one are protocol errors', () => {
    expect(refusalOf(packetOf(0x82, [0, 1], 2, [0x0b, 0], 'a', 0), 5)).toEqual(protocolError('MQTT-4.13.1-1'));
    expect(refusalOf(packetOf(0x82, [0, 1], 4, [0x0b, 1, 0x0b, 2], 'a', 0), 5)).toEqual(protocolError('MQTT-4.13.1-1'));
  });
});

describe('UNSUBSCRIBE', () => {
  test('MQTT-3.10.3-2: at least one filter', () => {
    expect(refusalOf(packetOf(0xa2, [0, 1], 0), 5)).toEqual(protocolError('MQTT-3.10.3-2'));
    expect(refusalOf(packetOf(0xa2, [0, 1]), 4)).toEqual(protocolError('MQTT-3.10.3-2'));
  });

  test('packet identifier 0: MQTT-2.2.1-3 in 5, MQTT-2.3.1-1 in 3.1.1', () => {
    expect(refusalOf(packetOf(0xa2, [0, 0], 0, 'a'), 5)).toEqual(protocolError('MQTT-2.2.1-3'));
    expect(refusalOf(packetOf(0xa2, [0, 0], 'a'), 4)).toEqual(protocolError('MQTT-2.3.1-1'));
  });

  test('filters follow the same rules as in SUBSCRIBE', () => {
    expect(refusalOf(packetOf(0xa2, [0, 1], 'a', 'b#'), 4)).toEqual(malformed('MQTT-4.7.1-2'));
    expect(refusalOf(packetOf(0xa2, [0, 1], 0, '$share/g'), 5)).toEqual(malformed('MQTT-4.8.2-2'));
    expect(refusalOf(packetOf(0xa2, [0, 1], ''), 4)).toEqual(malformed('MQTT-4.7.3-1'));
  });
});

describe('SUBACK and UNSUBACK', () => {
  test('MQTT-3.9.3-2: only its own reason codes', () => {
    expect(refusalOf(packetOf(0x90, [0, 1], 0, 0x11), 5, 'server')).toEqual(protocolError('MQTT-3.9.3-2'));
    expect(refusalOf(packetOf(0x90, [0, 1], 3), 4, 'server')).toEqual(protocolError('MQTT-3.9.3-2'));
  });

  test('MQTT-3.8.4-6, MQTT-3.8.4-5: never without a reason code', () => {
    expect(refusalOf(packetOf(0x90, [0, 1], 0), 5, 'server')).toEqual(protocolError('MQTT-3.8.4-6'));
    expect(refusalOf(packetOf(0x90, [0, 1]), 4, 'server')).toEqual(protocolError('MQTT-3.8.4-5'));
  });

  test('MQTT-3.11.3-2: UNSUBACK has its own reason codes', () => {
    expect(refusalOf(packetOf(0xb0, [0, 1], 0, 0x01), 5, 'server')).toEqual(protocolError('MQTT-3.11.3-2'));
  });

  test('UNSUBACK has no payload below 5', () => {
    expect(refusalOf(packetOf(0xb0, [0, 1], 0), 4, 'server')).toEqual(malformed('MQTT-4.8.0-1'));
  });

  test('packet identifier 0: MQTT-2.2.1-6 in 5, MQTT-2.3.1-7 in 3.1.1', () => {
    expect(refusalOf(packetOf(0x90, [0, 0], 0, 0), 5, 'server')).toEqual(protocolError('MQTT-2.2.1-6'));
    expect(refusalOf(packetOf(0xb0, [0, 0]), 4, 'server')).toEqual(protocolError('MQTT-2.3.1-7'));
  });
});
