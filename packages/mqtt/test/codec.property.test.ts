import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Decoder, encode, type Packet, type ProtocolVersion, type Sender } from '../src/index.ts';
import { arbitraryConnect, arbitraryFromClient, arbitraryFromServer, VERSIONS } from './arbitrary-packets.ts';
import { decode } from './decoding.ts';

/** Cuts bytes at positions given as fractions. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const positions = [
    0,
    ...fractions.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return positions.slice(1).map((end, index) => bytes.subarray(positions[index], end));
}

const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function conversation(version: ProtocolVersion, from: Sender): fc.Arbitrary<Packet[]> {
  if (from === 'server') return fc.array(arbitraryFromServer(version), { minLength: 1, maxLength: 6 });
  return fc
    .tuple(arbitraryConnect(version), fc.array(arbitraryFromClient(version), { maxLength: 6 }))
    .map(([connect, rest]) => [connect, ...rest]);
}

describe.each(VERSIONS)('version %i', (version) => {
  describe.each(['client', 'server'] as const)('from a %s', (from) => {
    const circumstances = from === 'server' ? { from, version } : { from };

    test('what is encoded decodes to the same packets, however the bytes are cut', () => {
      fc.assert(
        fc.property(conversation(version, from), fractions, (packets, where) => {
          const bytes = Buffer.concat(packets.map((packet) => encode(packet, version)));
          const { packets: decoded, failure, decoder } = decode(cut(bytes, where), circumstances);
          expect(failure).toBeUndefined();
          expect(decoded).toEqual(packets);
          expect(decoder.version).toBe(version);
          expect(decoder.bufferedBytes).toBe(0);
        }),
        { numRuns: 200 },
      );
    });

    test('one byte at a time gives the same packets', () => {
      fc.assert(
        fc.property(conversation(version, from), (packets) => {
          const bytes = Buffer.concat(packets.map((packet) => encode(packet, version)));
          const chunks = Array.from(bytes, (byte) => Buffer.from([byte]));
          expect(decode(chunks, circumstances).packets).toEqual(packets);
        }),
        { numRuns: 30 },
      );
    });

    test('stopping after any packet loses nothing and keeps the order', () => {
      fc.assert(
        fc.property(conversation(version, from), fractions, (packets, where) => {
          const bytes = Buffer.concat(packets.map((packet) => encode(packet, version)));
          const decoder = new Decoder({ maximumPacketSize: 1_000_000, ...circumstances });
          const types: string[] = [];
          const note = (type: string) => {
            types.push(type);
            decoder.stop();
          };
          const receiver = { publish: () => note('publish'), packet: (packet: Packet) => note(packet.type) };
          for (const chunk of cut(bytes, where)) expect(decoder.push(Buffer.from(chunk), receiver)).toBeUndefined();
          expect(types).toHaveLength(1);
          for (let more = 1; more < packets.length; more++) {
            decoder.resume(receiver);
            expect(types).toHaveLength(more + 1);
          }
          expect(types).toEqual(packets.map((packet) => packet.type));
          expect(decoder.bufferedBytes).toBe(0);
        }),
        { numRuns: 50 },
      );
    });

    test('a damaged stream ends in packets or a failure, the same for every cut', () => {
      const damage = fc.array(
        fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 0, max: 255 })),
        {
          minLength: 1,
          maxLength: 3,
        },
      );
      fc.assert(
        fc.property(conversation(version, from), damage, fractions, (packets, blows, where) => {
          const bytes = Buffer.concat(packets.map((packet) => encode(packet, version)));
          for (const [part, value] of blows) bytes[Math.floor(part * bytes.length)] = value;
          const whole = decode([bytes], circumstances);
          const pieces = decode(cut(bytes, where), circumstances);
          expect(pieces.packets).toEqual(whole.packets);
          expect(pieces.failure).toEqual(whole.failure);
        }),
        { numRuns: 400 },
      );
    });

    test('any bytes end in packets or a failure', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fractions, (bytes, where) => {
          const { failure, decoder } = decode(cut(Buffer.from(bytes), where), { from, version });
          expect(failure === undefined || failure.reasonCode >= 0x80).toBe(true);
          expect(decoder.bufferedBytes).toBeLessThanOrEqual(bytes.length);
        }),
        { numRuns: 400 },
      );
    });

    test('what decodes encodes to a packet that decodes to the same', () => {
      const first =
        from === 'client' ? [0x30, 0x32, 0x40, 0x62, 0x82, 0xa2, 0xe0, 0xf0] : [0x20, 0x34, 0x50, 0x90, 0xb0, 0xe0];
      fc.assert(
        fc.property(fc.constantFrom(...first), fc.uint8Array({ maxLength: 20 }), (byte, body) => {
          const bytes = Buffer.from([byte, body.length, ...body]);
          const [packet] = decode([bytes], { from, version }).packets;
          if (packet === undefined) return;
          expect(decode([encode(packet, version)], { from, version }).packets).toEqual([packet]);
        }),
        { numRuns: 400 },
      );
    });
  });
});
