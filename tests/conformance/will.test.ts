import type { ProtocolVersion, Will } from '@sallyport/mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawClient } from '../attacks/raw-client.ts';
import type { TestServer } from '../server.ts';
import { enter, forgetRetained, join, laboratory, leave } from './laboratory.ts';

let server: TestServer;
let witness: RawClient;
beforeAll(async () => {
  server = await laboratory();
  witness = await enter(server, 'witness', { keepAlive: 0 });
  await witness.subscribe('will/#', { qos: 2, retainAsPublished: true });
});
afterAll(() => server.close());

const BOTH = [4, 5] as const;

function will(topic: string, options: Partial<Will> = {}): Will {
  return { topic: `will/${topic}`, payload: Buffer.from('gone'), qos: 0, retain: false, ...options };
}

function mortal(topic: string, version: ProtocolVersion, options: Partial<Will> = {}) {
  return enter(server, `mortal-${topic}`, { will: will(topic, options) }, version);
}

describe.each(BOTH)('a will, level %i', (version) => {
  it('[3.1.1 MQTT-3.1.2-8, MQTT-3.1.2-16] [5 MQTT-3.1.2-7, MQTT-3.1.2-8, MQTT-3.1.2-14] is published when the connection breaks, not retained', async () => {
    const client = await mortal('broken', version);
    await client.vanish();
    expect(await witness.take('publish')).toMatchObject({ topic: 'will/broken', retain: false });
    const late = await enter(server, 'late');
    await late.subscribe('will/broken');
    expect(await late.heard()).toEqual([]);
    await leave(late);
  });

  it('[3.1.1 MQTT-3.1.2-10, MQTT-3.14.4-3] [5 MQTT-3.1.2-10, MQTT-3.14.4-3] is discarded by a normal DISCONNECT', async () => {
    await leave(await mortal('normal', version));
    expect(await witness.heard()).toEqual([]);
  });

  it('[3.1.1 MQTT-3.1.2-10] [5 MQTT-3.1.2-10] is published once: the next connection without one publishes none', async () => {
    await (await mortal('first', version)).vanish();
    await witness.take('publish');
    const client = await enter(server, 'mortal-first', {}, version);
    await client.vanish();
    expect(await witness.heard()).toEqual([]);
  });

  it('[3.1.1 MQTT-3.1.2-12] [5 MQTT-3.1.2-8] is published by nobody who left none', async () => {
    await (await enter(server, 'immortal', {}, version)).vanish();
    expect(await witness.heard()).toEqual([]);
  });

  it('[3.1.1 MQTT-3.1.2-17] [5 MQTT-3.1.2-15] is retained where it asks for it', async () => {
    const client = await mortal('kept', version, { retain: true });
    await client.vanish();
    expect(await witness.take('publish')).toMatchObject({ retain: true });
    const late = await enter(server, 'late');
    await late.subscribe('will/kept');
    expect(await late.heard()).toEqual(['will/kept gone']);
    await forgetRetained(late, 'will/kept');
    await witness.heard();
    await leave(late);
  });

  it.each([0, 1, 2] as const)(
    '[3.1.1 MQTT-3.1.2-9] [5 MQTT-3.1.2-9] has the QoS that it was left with: %i',
    async (qos) => {
      await (await mortal(`qos-${qos}`, version, { qos })).vanish();
      const message = await witness.take('publish');
      expect(message.qos).toBe(qos);
      if (qos === 1) witness.send({ type: 'puback', packetId: message.packetId!, reasonCode: 0 });
      if (qos === 2) {
        witness.send({ type: 'pubrec', packetId: message.packetId!, reasonCode: 0 });
        await witness.take('pubrel');
        witness.send({ type: 'pubcomp', packetId: message.packetId!, reasonCode: 0 });
      }
    },
  );

  it('[3.1.1 MQTT-3.1.2-8] [5 MQTT-3.1.2-8] is published when nothing is heard any more, on a violation, and on takeover', async () => {
    const silent = await enter(server, 'mortal-keep-alive', { keepAlive: 1, will: will('keep-alive') }, version);
    expect((await witness.take('publish')).topic).toBe('will/keep-alive');
    await silent.gone;
    const violator = await mortal('violation', version);
    violator.raw(Buffer.of(0x00, 0));
    expect((await witness.take('publish')).topic).toBe('will/violation');
    const older = await mortal('takeover', version);
    const newer = await enter(server, 'mortal-takeover', {}, version);
    expect((await witness.take('publish')).topic).toBe('will/takeover');
    await older.gone;
    await leave(newer);
  });
});

describe('a will of MQTT 5', () => {
  it('[5 MQTT-3.1.2-8] is published after DISCONNECT with will message', async () => {
    const client = await mortal('wanted', 5);
    client.send({ type: 'disconnect', reasonCode: 4 });
    expect((await witness.take('publish')).topic).toBe('will/wanted');
  });

  it('[5 MQTT-3.1.3-10] carries its properties, user properties in their order', async () => {
    const properties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Buffer.from([1, 2]),
      userProperties: [
        ['b', '2'],
        ['a', '1'],
        ['b', '1'],
      ] as const,
    };
    await (await mortal('properties', 5, { properties } as Partial<Will>)).vanish();
    const told = (await witness.take('publish')).properties;
    expect(told).toMatchObject({ ...properties, correlationData: expect.anything() });
    expect(Buffer.from(told!.correlationData!)).toEqual(properties.correlationData);
  });

  const delayed = (topic: string, delay: number, expiry: number) => ({
    cleanStart: false,
    will: will(topic, { properties: { willDelayInterval: delay } }),
    properties: { sessionExpiryInterval: expiry },
  });

  it('[5 MQTT-3.1.3-9] waits for its delay, and is not published if the client comes back before', async () => {
    const client = await enter(server, 'delayed', delayed('delayed', 2, 60));
    await client.vanish();
    expect(await witness.heard()).toEqual([]);
    const back = await enter(server, 'delayed', delayed('delayed', 1, 60));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await witness.heard()).toEqual([]);
    await back.vanish();
    expect((await witness.take('publish')).topic).toBe('will/delayed');
    await leave(await enter(server, 'delayed'));
  });

  it('[5 MQTT-3.1.2-8] is published at the end of its session, however long its delay is', async () => {
    const client = await enter(server, 'short-lived', delayed('short-lived', 3600, 1));
    await client.vanish();
    expect((await witness.take('publish')).topic).toBe('will/short-lived');
    const ended = await enter(server, 'ended', delayed('ended', 3600, 3600));
    await ended.vanish();
    await leave(await enter(server, 'ended', { cleanStart: true }));
    expect((await witness.take('publish')).topic).toBe('will/ended');
    const unkept = await enter(server, 'unkept', delayed('unkept', 3600, 0));
    await unkept.vanish();
    expect((await witness.take('publish')).topic).toBe('will/unkept');
  });

  it('(section 3.1.3.2.3) is refused if its payload is not what it says it is', async () => {
    const payload = Buffer.of(0xff);
    const { client, welcome } = await join(server, 'garbled', {
      will: will('garbled', { payload, properties: { payloadFormatIndicator: 1 } }),
    });
    expect(welcome.reasonCode).toBe(0x99);
    await client.gone;
  });
});
