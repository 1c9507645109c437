import { describe, expect, test } from 'vitest';
import { Decoder } from '../src/decoder.ts';
import { decodeProperties, forwardProperties, type PublishFrame } from '../src/index.ts';
import { decode, malformed, packetOf, protocolError, refusalOf } from './decoding.ts';

/** A PUBLISH of MQTT 5 with given property bytes. */
function withProperties(topic: string, ...properties: number[]): Buffer {
  return packetOf(0x30, topic, properties.length, properties, Buffer.from('payload'));
}

function frameOf(packet: Buffer, version: 3 | 4 | 5): PublishFrame {
  const decoder = new Decoder({ maximumPacketSize: 100_000, from: 'client', version });
  let found: PublishFrame | undefined;
  const failure = decoder.push(packet, {
    publish(frame) {
      found = { ...frame };
    },
    packet() {},
  });
  if (found === undefined) throw new Error(failure?.message);
  return found;
}

describe('PUBLISH', () => {
  test('a frame tells every part by its offsets', () => {
    const packet = packetOf(0x3d, 'a/b', [0x12, 0x34], 5, [0x23, 0, 7, 1, 1], Buffer.from('hello'));
    const frame = frameOf(packet, 5);
    const part = (start: number, end: number) => frame.bytes.toString('latin1', start, end);
    expect(frame).toMatchObject({ dup: true, qos: 2, retain: true, packetId: 0x1234, topicAlias: 7 });
    expect(frame).toMatchObject({ messageExpiryInterval: -1, payloadFormatIndicator: 1, start: 0, end: packet.length });
    expect(part(frame.topicStart, frame.topicEnd)).toBe('a/b');
    expect(part(frame.payloadStart, frame.payloadEnd)).toBe('hello');
    expect(decodeProperties(frame.bytes, frame.propertiesStart, frame.propertiesEnd)).toEqual({
      topicAlias: 7,
      payloadFormatIndicator: 1,
    });
  });

  test('facts of one frame do not leak into the next', () => {
    const packets = [withProperties('t', 0x23, 0, 7, 0x02, 0, 0, 0, 9, 1, 1), withProperties('t')];
    const frames: PublishFrame[] = [];
    const decoder = new Decoder({ maximumPacketSize: 1000, from: 'client', version: 5 });
    decoder.push(Buffer.concat(packets), { publish: (frame) => frames.push({ ...frame }), packet() {} });
    expect(frames[0]).toMatchObject({ topicAlias: 7, messageExpiryInterval: 9, payloadFormatIndicator: 1 });
    expect(frames[1]).toMatchObject({ topicAlias: 0, messageExpiryInterval: -1, payloadFormatIndicator: 0 });
  });

  test.each(['a/+', '#', 'a/#/b', 'a+b', 'é/+'])('MQTT-3.3.2-2: no wildcard in the topic name: %s', (topic) => {
    expect(refusalOf(packetOf(0x30, topic), 4)).toEqual(malformed('MQTT-3.3.2-2'));
    expect(refusalOf(packetOf(0x30, topic, 0), 5)).toEqual(malformed('MQTT-3.3.2-2'));
  });

  test('U+0000 in the topic name: MQTT-1.5.4-2 in 5, MQTT-1.5.3-2 in 3.1.1', () => {
    expect(refusalOf(packetOf(0x30, 'a\0', 0), 5)).toEqual(malformed('MQTT-1.5.4-2'));
    expect(refusalOf(packetOf(0x30, 'é\0'), 4)).toEqual(malformed('MQTT-1.5.3-2'));
  });

  test('ill-formed UTF-8 in the topic name: MQTT-1.5.4-1 in 5, MQTT-1.5.3-1 in 3.1.1', () => {
    expect(refusalOf(packetOf(0x30, [0, 3, 0xed, 0xa0, 0x80], 0), 5)).toEqual(malformed('MQTT-1.5.4-1'));
    expect(refusalOf(packetOf(0x30, [0, 5, 0x61, 0x62, 0x63, 0x64, 0xc0]), 4)).toEqual(malformed('MQTT-1.5.3-1'));
  });

  test('an empty topic: MQTT-4.7.3-1 in 3.1.1; in 5 only with a topic alias', () => {
    expect(refusalOf(packetOf(0x30, ''), 4)).toEqual(protocolError('MQTT-4.7.3-1'));
    expect(refusalOf(packetOf(0x30, '', 0), 5)).toEqual(protocolError('MQTT-4.13.1-1'));
    expect(frameOf(withProperties('', 0x23, 0, 1), 5).topicAlias).toBe(1);
  });

  test('packet identifier 0: MQTT-2.2.1-3 from a client, -4 from a server, MQTT-2.3.1-1 in 3.1.1', () => {
    expect(refusalOf(packetOf(0x32, 't', [0, 0], 0), 5)).toEqual(protocolError('MQTT-2.2.1-3'));
    expect(refusalOf(packetOf(0x32, 't', [0, 0], 0), 5, 'server')).toEqual(protocolError('MQTT-2.2.1-4'));
    expect(refusalOf(packetOf(0x34, 't', [0, 0]), 4)).toEqual(protocolError('MQTT-2.3.1-1'));
  });

  test('MQTT-3.3.2-8: topic alias 0', () => {
    expect(refusalOf(withProperties('t', 0x23, 0, 0), 5)).toEqual(protocolError('MQTT-3.3.2-8'));
  });

  test('MQTT-3.3.2-14: no wildcard in the response topic', () => {
    expect(refusalOf(withProperties('t', 0x08, 0, 1, 0x23), 5)).toEqual(protocolError('MQTT-3.3.2-14'));
  });

  test('MQTT-3.3.4-6: no subscription identifier from a client; several from a server', () => {
    const packet = withProperties('t', 0x0b, 1, 0x0b, 0x80, 1);
    expect(refusalOf(packet, 5)).toEqual(protocolError('MQTT-3.3.4-6'));
    const { packets } = decode([packet], { from: 'server', version: 5 });
    expect(packets).toMatchObject([{ properties: { subscriptionIdentifiers: [1, 128] } }]);
  });

  test('MQTT-1.5.5-1: the property length takes the fewest bytes', () => {
    expect(refusalOf(packetOf(0x30, 't', [0x80, 0x00]), 5)).toEqual(malformed('MQTT-1.5.5-1'));
  });

  test.each([
    ['topic length', [0x00]],
    ['topic', [0x00, 0x05, 0x61]],
    ['packet identifier', [0x00, 0x01, 0x61, 0x00]],
  ])('a body that ends within its %s is malformed', (_field, body) => {
    expect(refusalOf(packetOf(0x32, body), 4)).toEqual(malformed('MQTT-4.8.0-1'));
    expect(refusalOf(packetOf(0x32, body), 5)).toEqual(malformed('MQTT-4.13.1-1'));
  });

  test('a body that ends within its properties is malformed', () => {
    for (const tail of [[], [3, 0x23], [2, 0x23, 0], [1, 0x23], [0x80]]) {
      expect(refusalOf(packetOf(0x30, 't', tail), 5)).toEqual(malformed('MQTT-4.13.1-1'));
    }
  });

  test('an empty payload is a payload', () => {
    expect(decode([packetOf(0x31, 't')], { version: 4 }).packets).toMatchObject([{ payload: Buffer.alloc(0) }]);
  });
});

describe('forwardProperties', () => {
  const original = [
    [0x23, 0, 7],
    [0x02, 0, 0, 1, 0],
    [0x26, 0, 1, 0x61, 0, 1, 0x62],
    [0x03, 0, 1, 0x63],
    [0x26, 0, 1, 0x61, 0, 1, 0x64],
  ];
  const frame = frameOf(withProperties('t', ...original.flat()), 5);
  const forwarded = (changes?: Parameters<typeof forwardProperties>[3]) =>
    forwardProperties(frame.bytes, frame.propertiesStart, frame.propertiesEnd, changes);

  test('MQTT-3.3.2-17: keeps all but the topic alias, in order', () => {
    expect([...forwarded()]).toEqual(original.slice(1).flat());
  });

  test('MQTT-3.3.2-6, MQTT-3.3.4-3: writes what remains of the expiry and the subscription identifiers', () => {
    const bytes = forwarded({ messageExpiryInterval: 255, subscriptionIdentifiers: [5, 300] });
    expect(decodeProperties(bytes, 0, bytes.length)).toEqual({
      messageExpiryInterval: 255,
      contentType: 'c',
      userProperties: [
        ['a', 'b'],
        ['a', 'd'],
      ],
      subscriptionIdentifiers: [5, 300],
    });
  });
});
