import { describe, expect, test } from 'vitest';
import { Decoder } from '../src/index.ts';
import { decode, malformed, packetOf, protocolError, refusalOf } from './decoding.ts';

const NOBODY = { publish() {}, packet() {} };

describe('reserved flags', () => {
  test.each([
    [0x11, 'MQTT-2.1.3-1', 'MQTT-2.2.2-2'],
    [0x41, 'MQTT-2.1.3-1', 'MQTT-2.2.2-2'],
    [0x58, 'MQTT-2.1.3-1', 'MQTT-2.2.2-2'],
    [0x72, 'MQTT-2.1.3-1', 'MQTT-2.2.2-2'],
    [0xc1, 'MQTT-2.1.3-1', 'MQTT-2.2.2-2'],
    [0x60, 'MQTT-3.6.1-1', 'MQTT-3.6.1-1'],
    [0x6a, 'MQTT-3.6.1-1', 'MQTT-3.6.1-1'],
    [0x80, 'MQTT-3.8.1-1', 'MQTT-3.8.1-1'],
    [0xa3, 'MQTT-3.10.1-1', 'MQTT-3.10.1-1'],
    [0xe1, 'MQTT-3.14.1-1', 'MQTT-3.14.1-1'],
  ])('first byte %i violates %s in 5 and %s in 3.1.1, and is refused at once', (first, five, below) => {
    expect(refusalOf(Buffer.from([first]), 5)).toEqual(malformed(five));
    expect(refusalOf(Buffer.from([first]), 4)).toEqual(malformed(below));
  });

  test('MQTT-3.15.1-1: AUTH has none', () => {
    expect(refusalOf(Buffer.from([0xf1]), 5)).toEqual(malformed('MQTT-3.15.1-1'));
  });

  test('3.1 repeats PUBREL, SUBSCRIBE and UNSUBSCRIBE with DUP', () => {
    const packets = Buffer.concat([
      packetOf(0x6a, [0, 1]),
      packetOf(0x8a, [0, 1], 'a', 0),
      packetOf(0xaa, [0, 1], 'a'),
    ]);
    expect(decode([packets], { version: 3 }).packets.map((packet) => packet.type)).toEqual([
      'pubrel',
      'subscribe',
      'unsubscribe',
    ]);
  });

  test('MQTT-3.3.1-4: QoS 3', () => {
    expect(refusalOf(Buffer.from([0x36]), 5)).toEqual(malformed('MQTT-3.3.1-4'));
    expect(refusalOf(Buffer.from([0x37]), 4)).toEqual(malformed('MQTT-3.3.1-4'));
  });

  test('MQTT-3.3.1-2: DUP at QoS 0', () => {
    expect(refusalOf(Buffer.from([0x38]), 5)).toEqual(malformed('MQTT-3.3.1-2'));
  });
});

describe('packet types', () => {
  test('0 is reserved, and 15 below 5', () => {
    expect(refusalOf(Buffer.from([0x00]), 5)).toEqual(malformed('MQTT-4.13.1-1'));
    expect(refusalOf(Buffer.from([0xf0]), 4)).toEqual(malformed('MQTT-4.8.0-1'));
  });

  test.each([0x20, 0x90, 0xb0, 0xd0])('type byte %i is never sent by a client', (first) => {
    expect(refusalOf(Buffer.from([first]), 5)).toEqual(protocolError('MQTT-4.13.1-1'));
    expect(refusalOf(Buffer.from([first]), 4)).toEqual(protocolError('MQTT-4.8.0-1'));
  });

  test.each([0x10, 0x82, 0xa2, 0xc0])('type byte %i is never sent by a server', (first) => {
    expect(refusalOf(Buffer.from([first]), 5, 'server')).toEqual(protocolError('MQTT-4.13.1-1'));
  });

  test('a server sends DISCONNECT only in 5', () => {
    expect(decode([Buffer.from([0xe0, 0])], { from: 'server', version: 5 }).packets).toHaveLength(1);
    expect(refusalOf(Buffer.from([0xe0]), 4, 'server')).toEqual(protocolError('MQTT-4.8.0-1'));
  });
});

describe('remaining length', () => {
  test('of more than four bytes is malformed, however it is cut', () => {
    const bytes = Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]);
    expect(refusalOf(bytes, 5)).toEqual(malformed('MQTT-4.13.1-1'));
    const cut = decode([bytes.subarray(0, 2), bytes.subarray(2, 4), bytes.subarray(4)], { version: 5 });
    expect(cut.failure).toMatchObject(malformed('MQTT-4.13.1-1'));
  });

  test('MQTT-1.5.5-1: in 5 it takes the fewest bytes; 3.1.1 has no such rule', () => {
    const padded = Buffer.from([0xc0, 0x80, 0x00]);
    expect(refusalOf(padded, 5)).toEqual(malformed('MQTT-1.5.5-1'));
    expect(decode([padded], { version: 4 }).packets).toEqual([{ type: 'pingreq' }]);
  });

  test('MQTT-1.5.5-1: the rule reaches back to the CONNECT that names 5', () => {
    const body = packetOf(0x10, 'MQTT', 5, 2, [0, 0], 0, 'a').subarray(2);
    const padded = Buffer.concat([Buffer.from([0x10, 0x80 | body.length, 0]), body]);
    expect(refusalOf(padded)).toEqual(malformed('MQTT-1.5.5-1'));
  });
});

describe('maximum packet size', () => {
  const sized = (size: number) => new Decoder({ maximumPacketSize: size, from: 'client', version: 5 });

  test('MQTT-3.2.2-15: a larger packet is refused on its fixed header', () => {
    const failure = sized(100).push(Buffer.from([0x30, 0x80, 0x01]), NOBODY);
    expect(failure).toMatchObject({ code: 'packet_too_large', reasonCode: 0x95, statement: 'MQTT-3.2.2-15' });
  });

  test('is refused on a fixed header that comes byte by byte', () => {
    const decoder = sized(100);
    expect(decoder.push(Buffer.from([0x30]), NOBODY)).toBeUndefined();
    expect(decoder.push(Buffer.from([0x80]), NOBODY)).toBeUndefined();
    expect(decoder.push(Buffer.from([0x01]), NOBODY)).toMatchObject({ code: 'packet_too_large' });
  });

  test('counts the fixed header', () => {
    const packet = packetOf(0x30, 't', 0, new Uint8Array(10));
    expect(sized(packet.length).push(packet, NOBODY)).toBeUndefined();
    expect(sized(packet.length - 1).push(packet, NOBODY)).toMatchObject({ code: 'packet_too_large' });
  });

  test('MQTT-3.1.2-24: binds a server too', () => {
    const decoder = new Decoder({ maximumPacketSize: 3, from: 'server', version: 5 });
    expect(decoder.push(Buffer.from([0x30, 0x7f]), NOBODY)).toMatchObject({ statement: 'MQTT-3.1.2-24' });
  });

  test('an announced length costs nothing until the bytes come', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 50 }, () => sized(268_435_460));
    for (const decoder of decoders) decoder.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), NOBODY);
    expect(decoders[0]!.bufferedBytes).toBe(5);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});

describe('a decoder', () => {
  test('is dead after a failure and only repeats it', () => {
    const decoder = new Decoder({ maximumPacketSize: 100, from: 'client', version: 4 });
    const failure = decoder.push(Buffer.from([0x00]), NOBODY);
    const packets: unknown[] = [];
    const receiver = { publish() {}, packet: (packet: unknown) => packets.push(packet) };
    expect(decoder.push(Buffer.from([0xc0, 0]), receiver)).toBe(failure);
    expect(packets).toEqual([]);
  });

  test('delivers what was whole before the failure', () => {
    const { packets, failure } = decode([Buffer.from([0xc0, 0, 0x00])], { version: 4 });
    expect(packets).toEqual([{ type: 'pingreq' }]);
    expect(failure?.code).toBe('malformed_packet');
  });

  test('keeps slices of assembled packets intact while later packets come', () => {
    const decoder = new Decoder({ maximumPacketSize: 1000, from: 'client', version: 4 });
    const slices: Buffer[] = [];
    const receiver = {
      publish: (frame: { bytes: Buffer; payloadStart: number; payloadEnd: number }) =>
        slices.push(frame.bytes.subarray(frame.payloadStart, frame.payloadEnd)),
      packet() {},
    };
    for (const letter of ['a', 'b', 'c']) {
      const packet = packetOf(0x30, 't', Buffer.from(letter.repeat(50)));
      decoder.push(packet.subarray(0, 20), receiver);
      decoder.push(packet.subarray(20), receiver);
    }
    expect(slices.map(String)).toEqual(['a'.repeat(50), 'b'.repeat(50), 'c'.repeat(50)]);
  });

  test('points into the chunk itself where a packet is whole', () => {
    const chunk = packetOf(0x30, 't', Buffer.from('payload'));
    const decoder = new Decoder({ maximumPacketSize: 1000, from: 'client', version: 4 });
    let bytes: Buffer | undefined;
    decoder.push(chunk, {
      publish(frame) {
        bytes = frame.bytes;
      },
      packet() {},
    });
    expect(bytes).toBe(chunk);
  });

  test('counts what is held while stopped, and goes on when resumed inside a receiver', () => {
    const decoder = new Decoder({ maximumPacketSize: 100, from: 'client', version: 4 });
    let seen = 0;
    const receiver = {
      publish() {},
      packet() {
        seen += 1;
        decoder.stop();
        if (seen === 2) decoder.resume(receiver);
      },
    };
    decoder.push(Buffer.from([0xc0, 0, 0xc0, 0, 0xc0, 0, 0xc0]), receiver);
    expect([seen, decoder.bufferedBytes]).toEqual([1, 5]);
    decoder.push(Buffer.from([0]), receiver);
    expect([seen, decoder.bufferedBytes]).toEqual([1, 6]);
    decoder.resume(receiver);
    expect([seen, decoder.bufferedBytes]).toEqual([3, 2]);
  });
});
