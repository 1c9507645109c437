import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { field, packetBytes } from '../attacks/raw-client.ts';
import type { TestServer } from '../server.ts';
import { enter, laboratory, leave } from './laboratory.ts';

let server: TestServer;
beforeAll(async () => {
  server = await laboratory();
});
afterAll(() => server.close());

const NONE = Buffer.of(0);
const ID = Buffer.of(0, 7);
const ILL = Buffer.of(0x61, 0xed, 0xa0, 0x80);
const NULL = Buffer.of(0x61, 0, 0x62);

/** What was broken, the level, the bytes. MQTT 5 also says why: 0x81 or 0x82, where no other code is given. */
const BROKEN: readonly (readonly [string, 4 | 5, Buffer, number?])[] = [
  ['[3.1.1 MQTT-1.5.3-1, MQTT-4.8.0-1, MQTT-3.3.2-1] a topic that is not UTF-8', 4, packetBytes(0x30, field(ILL))],
  ['[5 MQTT-1.5.4-1, MQTT-3.3.2-1, MQTT-4.13.1-1] a topic that is not UTF-8', 5, packetBytes(0x30, field(ILL), NONE)],
  ['[3.1.1 MQTT-1.5.3-2, MQTT-4.7.3-2] a topic with U+0000', 4, packetBytes(0x30, field(NULL))],
  ['[5 MQTT-1.5.4-2, MQTT-4.7.3-2] a topic with U+0000', 5, packetBytes(0x30, field(NULL), NONE)],
  ['[5 MQTT-1.5.5-1] a remaining length of more bytes than needed', 5, Buffer.of(0xc0, 0x80, 0x00)],
  ['[5 MQTT-2.1.3-1] reserved flags of PUBACK', 5, packetBytes(0x41, ID)],
  ['[3.1.1 MQTT-2.2.2-1, MQTT-2.2.2-2] reserved flags of PUBACK', 4, packetBytes(0x41, ID)],
  ['[3.1.1 MQTT-3.6.1-1] PUBREL without its flags', 4, packetBytes(0x60, ID)],
  ['[5 MQTT-3.6.1-1] PUBREL without its flags', 5, packetBytes(0x60, ID)],
  ['[3.1.1 MQTT-3.8.1-1] SUBSCRIBE without its flags', 4, packetBytes(0x80, ID, field('a'), NONE)],
  ['[5 MQTT-3.8.1-1] SUBSCRIBE without its flags', 5, packetBytes(0x80, ID, NONE, field('a'), NONE)],
  ['[3.1.1 MQTT-3.10.1-1] UNSUBSCRIBE without its flags', 4, packetBytes(0xa0, ID, field('a'))],
  ['[5 MQTT-3.10.1-1] UNSUBSCRIBE without its flags', 5, packetBytes(0xa0, ID, NONE, field('a'))],
  ['[5 MQTT-3.15.1-1] reserved flags of AUTH', 5, packetBytes(0xf1, NONE)],
  ['[3.1.1 MQTT-3.3.1-4] QoS 3', 4, packetBytes(0x36, field('a'), ID)],
  ['[5 MQTT-3.3.1-4] QoS 3', 5, packetBytes(0x36, field('a'), ID, NONE)],
  ['[3.1.1 MQTT-3.3.1-2] DUP at QoS 0', 4, packetBytes(0x38, field('a'))],
  ['[5 MQTT-3.3.1-2] DUP at QoS 0', 5, packetBytes(0x38, field('a'), NONE)],
  ['[3.1.1 MQTT-2.3.1-1] packet identifier 0', 4, packetBytes(0x32, field('a'), Buffer.of(0, 0))],
  ['[5 MQTT-2.2.1-3] packet identifier 0', 5, packetBytes(0x32, field('a'), Buffer.of(0, 0), NONE)],
  ['[5 MQTT-2.2.1-3] packet identifier 0 of SUBSCRIBE', 5, packetBytes(0x82, Buffer.of(0, 0), NONE, field('a'), NONE)],
  ['[3.1.1 MQTT-3.3.2-2, MQTT-4.7.1-1] a wildcard in a topic name', 4, packetBytes(0x30, field('a/+'))],
  ['[5 MQTT-3.3.2-2, MQTT-4.7.0-1] a wildcard in a topic name', 5, packetBytes(0x30, field('a/#'), NONE), 0x90],
  ['[3.1.1 MQTT-4.7.3-1] an empty topic', 4, packetBytes(0x30, field(''))],
  ['[5 MQTT-4.7.3-1] an empty topic without an alias', 5, packetBytes(0x30, field(''), NONE)],
  ['[5 MQTT-3.3.2-8] topic alias 0', 5, packetBytes(0x30, field('a'), Buffer.of(3, 0x23, 0, 0)), 0x94],
  [
    '[5 MQTT-3.3.2-14] a wildcard in the response topic',
    5,
    packetBytes(0x30, field('a'), Buffer.of(4, 0x08), field('#')),
    0x90,
  ],
  [
    '[5 MQTT-3.3.2-13] a response topic that is not UTF-8',
    5,
    packetBytes(0x30, field('a'), Buffer.of(4, 0x08), field(Buffer.of(0xff))),
  ],
  [
    '[5 MQTT-3.3.2-19] a content type that is not UTF-8',
    5,
    packetBytes(0x30, field('a'), Buffer.of(4, 0x03), field(Buffer.of(0xff))),
  ],
  [
    '[5 MQTT-1.5.7-1] a user property that is not UTF-8',
    5,
    packetBytes(0x30, field('a'), Buffer.of(7, 0x26), field('k'), field(Buffer.of(0xff))),
  ],
  ['[5 MQTT-3.3.4-6] a subscription identifier of a client', 5, packetBytes(0x30, field('a'), Buffer.of(2, 0x0b, 1))],
  ['[3.1.1 MQTT-3.8.3-1] a filter that is not UTF-8', 4, packetBytes(0x82, ID, field(ILL), NONE)],
  ['[5 MQTT-3.8.3-1] a filter that is not UTF-8', 5, packetBytes(0x82, ID, NONE, field(ILL), NONE)],
  ['[3.1.1 MQTT-3.8.3-3] SUBSCRIBE without a filter', 4, packetBytes(0x82, ID)],
  ['[5 MQTT-3.8.3-2] SUBSCRIBE without a filter', 5, packetBytes(0x82, ID, NONE)],
  ['[3.1.1 MQTT-3-8.3-4] a reserved option', 4, packetBytes(0x82, ID, field('a'), Buffer.of(3))],
  ['[5 MQTT-3.8.3-5] a reserved option', 5, packetBytes(0x82, ID, NONE, field('a'), Buffer.of(0x40))],
  [
    '[5 MQTT-3.8.3-4] no local on a shared subscription',
    5,
    packetBytes(0x82, ID, NONE, field('$share/a/b'), Buffer.of(4)),
  ],
  ['[5 MQTT-4.8.2-1] an empty share name', 5, packetBytes(0x82, ID, NONE, field('$share//a'), NONE), 0x8f],
  ['[5 MQTT-4.8.2-2] a wildcard in a share name', 5, packetBytes(0x82, ID, NONE, field('$share/+/a'), NONE), 0x8f],
  ['[5 MQTT-4.8.2-2] a share name without a filter', 5, packetBytes(0x82, ID, NONE, field('$share/a'), NONE), 0x8f],
  ['[3.1.1 MQTT-4.7.1-2] # in the middle', 4, packetBytes(0x82, ID, field('a/#/b'), NONE)],
  ['[5 MQTT-4.7.1-1] # in the middle', 5, packetBytes(0x82, ID, NONE, field('a/#/b'), NONE), 0x8f],
  ['[3.1.1 MQTT-4.7.1-3] + in a part of a level', 4, packetBytes(0x82, ID, field('a+'), NONE)],
  ['[5 MQTT-4.7.1-2] + in a part of a level', 5, packetBytes(0x82, ID, NONE, field('a+'), NONE), 0x8f],
  ['[3.1.1 MQTT-4.7.3-1] an empty filter', 4, packetBytes(0x82, ID, field(''), NONE)],
  ['[5 MQTT-4.7.3-1] an empty filter', 5, packetBytes(0x82, ID, NONE, field(''), NONE), 0x8f],
  ['(section 3.8.2.1.2) subscription identifier 0', 5, packetBytes(0x82, ID, Buffer.of(2, 0x0b, 0), field('a'), NONE)],
  ['[3.1.1 MQTT-3.10.3-1] a filter to leave that is not UTF-8', 4, packetBytes(0xa2, ID, field(ILL))],
  ['[5 MQTT-3.10.3-1] a filter to leave that is not UTF-8', 5, packetBytes(0xa2, ID, NONE, field(ILL))],
  ['[3.1.1 MQTT-3.10.3-2] UNSUBSCRIBE without a filter', 4, packetBytes(0xa2, ID)],
  ['[5 MQTT-3.10.3-2] UNSUBSCRIBE without a filter', 5, packetBytes(0xa2, ID, NONE)],
  ['[5 MQTT-3.14.2-1] a reason code that DISCONNECT of a client does not have', 5, packetBytes(0xe0, Buffer.of(0x8e))],
];

describe('what ends a connection', () => {
  it.each(BROKEN.map(([name, version, bytes, code]) => ({ name, version, bytes, code })))(
    '$name, level $version',
    async ({ version, bytes, code }) => {
      const witness = await enter(server, 'witness');
      await witness.subscribe('#');
      const client = await enter(server, 'broken', {}, version);
      client.raw(bytes);
      const told = await client.takeOrEnd('disconnect');
      await client.gone;
      if (version === 5) expect([0x81, 0x82, ...(code === undefined ? [] : [code])]).toContain(told?.reasonCode);
      else expect(told).toBeUndefined();
      expect(client.packets).toEqual([]);
      expect(await witness.heard()).toEqual([]);
      await leave(witness);
    },
  );
});

describe('what does not', () => {
  it.each([4, 5] as const)(
    '[3.1.1 MQTT-1.5.3-3] [5 MQTT-1.5.4-3] U+FEFF is a character like any other, level %i',
    async (version) => {
      const client = await enter(server, 'bom', {}, version);
      await client.subscribe('\uFEFFbom/\uFEFF');
      client.publish('\uFEFFbom/\uFEFF', 'kept');
      client.publish('bom/', 'other');
      await client.settled();
      const message = await client.take('publish');
      expect(Buffer.from(message.topic)).toEqual(Buffer.from('\uFEFFbom/\uFEFF'));
      expect(await client.heard()).toEqual([]);
      await leave(client);
    },
  );

  it.each([4, 5] as const)(
    '[3.1.1 MQTT-4.7.3-3] [5 MQTT-4.7.3-3] a topic of 65,535 bytes, level %i',
    async (version) => {
      const client = await enter(server, 'long', {}, version);
      const topic = 'x'.repeat(65_535);
      await client.subscribe('+');
      client.publish(topic, 'y');
      expect((await client.take('publish')).topic).toBe(topic);
      await leave(client);
    },
  );

  it('[3.1.1 MQTT-3.8.3-2] wildcards in filters', async () => {
    const client = await enter(server, 'wild', {}, 4);
    expect(await client.subscribe('a/+/#')).toBe(0);
    await leave(client);
  });
});
