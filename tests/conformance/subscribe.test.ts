import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawClient } from '../attacks/raw-client.ts';
import type { TestServer } from '../server.ts';
import {
  enter,
  forgetRetained,
  laboratory,
  leave,
  publishWhole,
  receiveWhole,
  subscribeAll,
  textOf,
} from './laboratory.ts';

let server: TestServer;
let sender: RawClient;
beforeAll(async () => {
  server = await laboratory();
  sender = await enter(server, 'sender', { keepAlive: 0 });
});
afterAll(() => server.close());

const BOTH = [4, 5] as const;

describe.each(BOTH)('SUBSCRIBE, level %i', (version) => {
  it('[3.1.1 MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-4, MQTT-3.8.4-5, MQTT-3.9.3-1, MQTT-3.9.3-2, MQTT-2.3.1-7] [5 MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-5, MQTT-3.8.4-6, MQTT-3.8.4-7, MQTT-3.9.3-1, MQTT-3.9.3-2, MQTT-2.2.1-6] is answered under its identifier with one code for each filter, in their order', async () => {
    const client = await enter(server, 'asker', {}, version);
    const lines = [
      { filter: 'a', qos: 2 },
      { filter: '$SharedSubscription/a/b', qos: 1 },
      { filter: 'b', qos: 0 },
      { filter: 'c/#', qos: 1 },
    ] as const;
    const codes = await subscribeAll(client, lines, { packetId: 77 });
    expect(codes).toEqual([2, version === 5 ? 0x9e : 0x80, 0, 1]);
    await leave(client);
  });

  it('[3.1.1 MQTT-3.8.4-6] [5 MQTT-3.8.4-8] gets messages at the lower of both QoS', async () => {
    const client = await enter(server, 'lower', {}, version);
    for (const granted of [0, 1, 2] as const) {
      await client.subscribe('lower', { qos: granted });
      for (const sent of [0, 1, 2] as const) {
        if (sent === 0) sender.publish('lower', 'x');
        else await publishWhole(sender, 'lower', 'x', sent);
        expect((await receiveWhole(client)).qos).toBe(Math.min(granted, sent));
      }
    }
    await leave(client);
  });

  it('[3.1.1 MQTT-3.8.4-3, MQTT-3.3.1-6, MQTT-3.3.1-8] [5 MQTT-3.8.4-3, MQTT-3.8.4-4, MQTT-3.3.1-9] to the same filter replaces, and sends what is retained again', async () => {
    const client = await enter(server, 'again', {}, version);
    await publishRetained('again/a', 'kept');
    for (const qos of [0, 1] as const) {
      expect(await client.subscribe('again/+', { qos })).toBe(qos);
      expect(await client.take('publish')).toMatchObject({ topic: 'again/a', retain: true });
    }
    sender.publish('again/b', 'once');
    await sender.settled();
    expect(await client.heard()).toEqual(['again/b once']);
    await forgetRetained(sender, 'again/a');
    await leave(client);
  });

  it('[3.1.1 MQTT-3.3.5-1] [5 MQTT-3.3.4-2] of overlapping filters gets each message once, at the highest QoS', async () => {
    const client = await enter(server, 'overlap', {}, version);
    await subscribeAll(client, [
      { filter: 'overlap/#', qos: 2 },
      { filter: 'overlap/+', qos: 1 },
    ]);
    await publishWhole(sender, 'overlap/a', 'x', 2);
    expect((await receiveWhole(client)).qos).toBe(2);
    expect(await client.heard()).toEqual([]);
    await leave(client);
  });

  it('[3.1.1 MQTT-3.3.5-2] [5 MQTT-3.9.3-2] that is not permitted is told by SUBACK', async () => {
    const { registry } = server.server;
    const deny = { id: 'no', effect: 'deny', principals: ['*'], actions: ['subscribe'], resources: ['secret/#'] };
    const { LABORATORY } = await import('../attacks/raw-client.ts');
    const statements = [...(JSON.parse(LABORATORY) as { statements: object[] }).statements, deny];
    await registry.policies.put({ organisation: 'demo', text: JSON.stringify({ statements }), by: 'system' });
    const client = await enter(server, 'curious', {}, version);
    expect(await client.subscribe('secret/a')).toBe(version === 5 ? 0x87 : 0x80);
    expect(await client.settled()).toBe(true);
    await leave(client);
    await registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
  });
});

async function publishRetained(topic: string, payload: string): Promise<void> {
  sender.publish(topic, payload, { retain: true });
  await sender.settled();
}

describe.each(BOTH)('UNSUBSCRIBE, level %i', (version) => {
  it('[3.1.1 MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-3.10.4-6] [5 MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-3.10.4-6, MQTT-3.11.3-1, MQTT-3.11.3-2] ends the filters that are the same character by character, and is always answered', async () => {
    const client = await enter(server, 'leaver', {}, version);
    await subscribeAll(client, [{ filter: 'leave/#' }, { filter: 'leave/+' }, { filter: 'leave/a' }]);
    client.send({ type: 'unsubscribe', packetId: 9, filters: ['leave/a', 'leave/A', 'leave/#'] });
    expect(await client.take('unsuback')).toMatchObject({
      packetId: 9,
      reasonCodes: version === 5 ? [0, 0x11, 0] : [],
    });
    sender.publish('leave/a', 'by plus');
    sender.publish('leave/a/b', 'by nothing');
    await sender.settled();
    expect(await client.heard()).toEqual(['leave/a by plus']);
    await leave(client);
  });

  it('[3.1.1 MQTT-3.10.4-3] [5 MQTT-3.10.4-3] lets deliveries that have begun come to their end', async () => {
    const client = await enter(server, 'finisher', {}, version);
    await client.subscribe('finish', { qos: 2 });
    await publishWhole(sender, 'finish', 'x', 2);
    const { packetId = 0 } = await client.take('publish');
    client.send({ type: 'unsubscribe', packetId: 9, filters: ['finish'] });
    await client.take('unsuback');
    client.send({ type: 'pubrec', packetId, reasonCode: 0 });
    expect(await client.take('pubrel')).toMatchObject({ packetId, reasonCode: 0 });
    await leave(client);
  });
});

describe.each(BOTH)('matching, level %i', (version) => {
  const reaching = [
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['+', 'a', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['/+', '/a', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/+/c', 'a/b/c', true],
    ['a/+/c', 'a//c', true],
    ['a', 'A', false],
    ['a/b', 'a/b/', false],
    ['é', 'e\u0301', false],
    ['#', '$dollar/a', false],
    ['+/a', '$dollar/a', false],
    ['$dollar/#', '$dollar/a', true],
    ['$dollar/+', '$dollar/a', true],
  ] as const;
  it.each(reaching)(
    '[3.1.1 MQTT-4.7.2-1, MQTT-4.7.3-4, MQTT-3.3.2-3] [5 MQTT-4.7.2-1, MQTT-4.7.3-4, MQTT-3.3.2-3] %s and %s: %s',
    async (filter, topic, reaches) => {
      const client = await enter(server, 'matcher', {}, version);
      await client.subscribe(filter);
      // `#` of an application stops before the server's own topics, and nobody else may publish there.
      if (topic.startsWith('$')) await permitDollar();
      sender.publish(`${topic}`, 'x');
      await sender.settled();
      expect(await client.heard()).toEqual(reaches ? [`${topic} x`] : []);
      await leave(client);
    },
  );
});

let dollarPermitted = false;
async function permitDollar(): Promise<void> {
  if (dollarPermitted) return;
  dollarPermitted = true;
  const { LABORATORY } = await import('../attacks/raw-client.ts');
  const statement = {
    id: 'dollar',
    effect: 'permit',
    principals: ['application:demo/lab'],
    actions: ['publish', 'subscribe', 'receive'],
    resources: ['$dollar/#'],
  };
  const statements = [...(JSON.parse(LABORATORY) as { statements: object[] }).statements, statement];
  const text = JSON.stringify({ statements });
  await server.server.registry.policies.put({ organisation: 'demo', text, by: 'system' });
}

describe('subscription options', () => {
  it('[5 MQTT-3.8.3-3] no local: what a client publishes itself does not come back', async () => {
    const client = await enter(server, 'deaf-to-itself');
    await subscribeAll(client, [{ filter: 'local/a', noLocal: true }, { filter: 'local/b' }]);
    client.publish('local/a', 'own');
    client.publish('local/b', 'own');
    sender.publish('local/a', "another's");
    await sender.settled();
    expect((await client.heard()).sort()).toEqual(["local/a another's", 'local/b own']);
    await leave(client);
  });

  it('[5 MQTT-3.3.1-12, MQTT-3.3.1-13] retain as published: the flag is as it was sent, or 0', async () => {
    for (const retainAsPublished of [false, true]) {
      const client = await enter(server, 'flags');
      await client.subscribe('flag/#', { retainAsPublished });
      sender.publish('flag/kept', 'x', { retain: true });
      sender.publish('flag/not', 'x');
      expect((await client.take('publish')).retain).toBe(retainAsPublished);
      expect((await client.take('publish')).retain).toBe(false);
      await forgetRetained(sender, 'flag/kept');
      await leave(client);
    }
  });

  it('[5 MQTT-3.3.1-9, MQTT-3.3.1-10, MQTT-3.3.1-11] retain handling: always, for a new subscription, never', async () => {
    await publishRetained('handling/a', 'kept');
    const client = await enter(server, 'handler');
    const kept = ['handling/a kept'];
    for (const [retainHandling, expected] of [
      [2, []],
      [1, []],
      [0, kept],
      [0, kept],
      [1, []],
    ] as const) {
      await client.subscribe('handling/#', { retainHandling });
      expect(await client.heard()).toEqual(expected);
    }
    client.send({ type: 'unsubscribe', packetId: 3, filters: ['handling/#'] });
    await client.take('unsuback');
    await client.subscribe('handling/#', { retainHandling: 1 });
    expect(await client.heard()).toEqual(kept);
    await forgetRetained(sender, 'handling/a');
    await leave(client);
  });

  it('[5 MQTT-3.3.4-3, MQTT-3.3.4-4, MQTT-3.3.4-5] subscription identifiers: all that match come with the one copy', async () => {
    const client = await enter(server, 'identified');
    await subscribeAll(client, [{ filter: 'identified/#' }], { identifier: 1 });
    await subscribeAll(client, [{ filter: 'identified/+' }], { identifier: 268_435_455 });
    await subscribeAll(client, [{ filter: 'identified/a' }]);
    sender.publish('identified/a', 'x');
    const message = await client.take('publish');
    const told = [...(message.properties?.subscriptionIdentifiers ?? [])].sort((a, b) => a - b);
    expect(told).toEqual([1, 268_435_455]);
    sender.publish('identified/a/b', 'y');
    expect((await client.take('publish')).properties?.subscriptionIdentifiers).toEqual([1]);
    // A later SUBSCRIBE without an identifier takes it away.
    await subscribeAll(client, [{ filter: 'identified/#' }]);
    sender.publish('identified/a/b', 'z');
    expect((await client.take('publish')).properties?.subscriptionIdentifiers).toBeUndefined();
    await leave(client);
  });
});

describe('shared subscriptions', () => {
  const share = (name: string, filter: string) => `$share/${name}/${filter}`;

  it('[5 MQTT-4.8.2-1, MQTT-4.8.2-2, MQTT-4.8.2-3] give each message to one member, at its granted QoS', async () => {
    const members = [await enter(server, 'member-1'), await enter(server, 'member-2')];
    const alone = await enter(server, 'alone');
    await members[0]!.subscribe(share('group', 'work/#'), { qos: 0 });
    await members[1]!.subscribe(share('group', 'work/#'), { qos: 1 });
    await alone.subscribe(share('other', 'work/#'), { qos: 0 });
    for (let job = 0; job < 10; job++) await publishWhole(sender, 'work/a', String(job), 1);
    const heard = await Promise.all(members.map((member) => member.settled().then(() => member.packets.splice(0))));
    expect(heard.flat()).toHaveLength(10);
    expect(heard[0]!.every((packet) => packet.type === 'publish' && packet.qos === 0)).toBe(true);
    expect(heard[1]!.every((packet) => packet.type === 'publish' && packet.qos === 1)).toBe(true);
    expect(await alone.heard()).toHaveLength(10);
    await Promise.all([...members, alone].map(leave));
  });

  it('[5 MQTT-4.8.2-4] finish QoS 2 with the member that it was begun with', async () => {
    const kept = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
    const first = await enter(server, 'chosen', kept);
    await first.subscribe(share('finish', 'chosen'), { qos: 2 });
    await publishWhole(sender, 'chosen', 'x', 2);
    const { packetId = 0 } = await first.take('publish');
    const second = await enter(server, 'not-chosen');
    await second.subscribe(share('finish', 'chosen'), { qos: 2 });
    await first.vanish();
    const back = await enter(server, 'chosen', kept);
    expect(await receiveWhole(back)).toMatchObject({ packetId, dup: true });
    expect(await second.heard()).toEqual([]);
    await leave(second);
    await leave(back);
    await leave(await enter(server, 'chosen'));
  });

  it('[5 MQTT-4.8.2-5, MQTT-4.8.2-6] give to nobody else what a member refuses or takes with it', async () => {
    const first = await enter(server, 'refuser');
    await first.subscribe(share('refused', 'refused'), { qos: 1 });
    await publishWhole(sender, 'refused', 'x', 1);
    await publishWhole(sender, 'refused', 'y', 1);
    const { packetId = 0 } = await first.take('publish');
    const second = await enter(server, 'patient');
    await second.subscribe(share('refused', 'refused'), { qos: 1 });
    first.send({ type: 'puback', packetId, reasonCode: 0x80 });
    expect(await first.settled()).toBe(true);
    await first.vanish();
    expect(await second.heard()).toEqual([]);
    await leave(second);
  });

  it('[5 MQTT-3.3.1-13] keep the retain flag as published, and get nothing that is retained', async () => {
    await publishRetained('shared/kept', 'old');
    const member = await enter(server, 'flagged');
    await member.subscribe(share('flags', 'shared/#'), { retainAsPublished: true });
    expect(await member.heard()).toEqual([]);
    sender.publish('shared/kept', 'new', { retain: true });
    const message = await member.take('publish');
    expect([textOf(message), message.retain]).toEqual(['new', true]);
    await forgetRetained(sender, 'shared/kept');
    await leave(member);
  });
});
