import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EncodeError,
  encode,
  encodePublishProperties,
  patchPacketId,
  publishSize,
  Slab,
  writeAck,
  writePublish,
} from '../src/index.ts';
import type { Publish } from '../src/packets.ts';
import { arbitraryPublish, VERSIONS } from './arbitrary-packets.ts';

describe('Slab', () => {
  test('hands out what was written, in order, whatever is taken when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 90 }), fc.constant('take' as const)), { maxLength: 60 }),
        (steps) => {
          const slab = new Slab(64);
          const taken: Buffer[] = [];
          for (const step of steps) {
            if (step === 'take') taken.push(slab.take());
            else slab.append(Buffer.concat([Buffer.from([9]), step]), 1, step.length + 1);
          }
          taken.push(slab.take());
          const written = steps.filter((step) => step !== 'take');
          expect(Buffer.concat(taken)).toEqual(Buffer.concat(written));
          expect(slab.length).toBe(0);
        },
      ),
    );
  });

  test('takes little room for little, and what it was told to take once it is busy', () => {
    const slab = new Slab(16_384);
    slab.append(Buffer.alloc(4), 0, 4);
    expect(slab.bytes.length).toBeLessThan(1024);
    for (let packet = 0; packet < 100; packet++) {
      slab.append(Buffer.alloc(200), 0, 200);
      slab.take();
    }
    expect(slab.bytes.length).toBe(16_384);
  });

  test('never writes again into what was handed out', () => {
    const slab = new Slab(32);
    slab.append(Buffer.from('first'), 0, 5);
    const first = slab.take();
    slab.append(Buffer.from('second and longer than what is left'), 0, 35);
    slab.take();
    expect(String(first)).toBe('first');
  });
});

describe('writePublish', () => {
  test.each(VERSIONS)('writes what encode writes, and tells the size before (version %i)', (version) => {
    fc.assert(
      fc.property(arbitraryPublish(version, 'server'), (packet) => {
        const { topic, payload, qos, retain, dup, packetId = 0, properties = {} } = packet as Publish;
        const topicBytes = Buffer.from(topic);
        const encoded = version === 5 ? encodePublishProperties(properties) : undefined;
        const around = Buffer.concat([Buffer.from('<'), payload, Buffer.from('>')]);
        const slab = new Slab(50);
        slab.append(Buffer.from('before'), 0, 6);
        const end = around.length - 1;
        const offset = writePublish(slab, version, topicBytes, around, 1, end, qos, retain, dup, 0, encoded);
        expect(offset === -1).toBe(qos === 0);
        if (offset !== -1) patchPacketId(slab.bytes, offset, packetId);
        const written = slab.take().subarray(6);
        expect(written).toEqual(encode(packet, version));
        const size = publishSize(version, topicBytes.length, payload.length, qos, encoded?.length);
        expect(size).toBe(written.length);
      }),
    );
  });

  test('refuses a topic above 65,535 bytes', () => {
    const write = () =>
      writePublish(new Slab(10), 4, Buffer.alloc(65_536, 97), Buffer.alloc(0), 0, 0, 0, false, false, 0);
    expect(write).toThrow(EncodeError);
  });
});

describe('writeAck', () => {
  test.each(VERSIONS)('writes what encode writes (version %i)', (version) => {
    for (const type of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const) {
      for (const reasonCode of version === 5 ? [0, type === 'puback' || type === 'pubrec' ? 0x87 : 0x92] : [0]) {
        const slab = new Slab(16);
        writeAck(slab, type, 0x1234, reasonCode, version);
        expect(slab.take()).toEqual(encode({ type, packetId: 0x1234, reasonCode }, version));
      }
    }
  });

  test('leaves the reason code out below 5', () => {
    const slab = new Slab(16);
    writeAck(slab, 'puback', 1, 0x87, 4);
    expect([...slab.take()]).toEqual([0x40, 2, 0, 1]);
  });
});
