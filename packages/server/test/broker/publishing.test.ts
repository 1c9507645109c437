import { describe, expect, it } from 'vitest';
import { Stage, settled } from './harness.ts';

const VERSIONS = [3, 4, 5] as const;
const LEVELS = [0, 1, 2] as const;

describe('a message', () => {
  for (const from of VERSIONS) {
    for (const to of VERSIONS) {
      it(`reaches a subscriber of level ${to} from a publisher of level ${from} at the lower QoS`, async () => {
        const stage = new Stage();
        const sender = await stage.connect('sender', { protocolVersion: from });
        const receiver = await stage.connect('receiver', { protocolVersion: to });
        for (const granted of LEVELS) {
          expect(await receiver.subscribed('a/+', { qos: granted })).toBe(granted);
          for (const sent of LEVELS) {
            sender.publish('a/b', `${sent}`, { qos: sent, packetId: 7 });
            await settled();
            const got = receiver.expect('publish');
            expect([got.topic, Buffer.from(got.payload).toString(), got.qos, got.retain, got.dup]).toEqual([
              'a/b',
              `${sent}`,
              Math.min(granted, sent),
              false,
              false,
            ]);
            if (sent === 1) expect(sender.expect('puback')).toMatchObject({ packetId: 7, reasonCode: 0 });
            if (sent === 2) {
              expect(sender.expect('pubrec')).toMatchObject({ packetId: 7 });
              sender.ack('pubrel', 7);
              await settled();
              expect(sender.expect('pubcomp')).toMatchObject({ packetId: 7 });
            }
            if (got.qos === 1) receiver.ack('puback', got.packetId!);
            if (got.qos === 2) {
              receiver.ack('pubrec', got.packetId!);
              await settled();
              expect(receiver.expect('pubrel').packetId).toBe(got.packetId);
              receiver.ack('pubcomp', got.packetId!);
            }
            await settled();
            expect(receiver.packets).toEqual([]);
            expect(stage.broker.findSession('demo', 'receiver')).toMatchObject({ queued: 0, inflight: 0 });
          }
        }
      });
    }
  }

  it('reaches many subscribers of both versions and every QoS, each with a packet identifier of its own', async () => {
    const stage = new Stage();
    const sender = await stage.connect('sender');
    const receivers = [];
    for (const version of [4, 5] as const) {
      for (const qos of [0, 1, 2, 0, 1, 2] as const) {
        const receiver = await stage.connect(`r${receivers.length}`, { protocolVersion: version });
        await receiver.subscribed('a', { qos });
        receivers.push({ receiver, qos });
      }
    }
    // Moves the packet identifiers apart.
    receivers[1]!.receiver.publish('x', '');
    for (const round of ['one', 'two']) {
      sender.publish('a', round, { qos: 2, packetId: round.length, properties: { contentType: 'text' } });
      await settled();
      for (const { receiver, qos } of receivers) {
        const got = receiver.expect('publish');
        expect([Buffer.from(got.payload).toString(), got.qos, got.packetId]).toEqual([
          round,
          qos,
          qos === 0 ? undefined : round === 'one' ? 1 : 2,
        ]);
        expect(got.properties?.contentType).toBe(receiver.version === 5 ? 'text' : undefined);
      }
      sender.ack('pubrel', round.length);
    }
  });

  it('stays within its organisation', async () => {
    const stage = new Stage();
    const sender = await stage.connect('sender', { username: 'demo/lab' });
    const stranger = await stage.connect('stranger', { username: 'other/lab' });
    await stranger.subscribed('#');
    sender.publish('a', 'secret');
    await settled();
    expect(stranger.messages()).toEqual([]);
  });

  it('keeps the order in which it was sent, for each QoS', async () => {
    const stage = new Stage({ limits: { inflight: 3 } });
    const sender = await stage.connect('sender');
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('a', { qos: 1 });
    const sent = Array.from({ length: 50 }, (_, index) => String(index));
    for (const payload of sent) sender.publish('a', payload, { qos: 1, packetId: Number(payload) + 1 });
    const got: string[] = [];
    for (let round = 0; round < 50; round++) {
      await settled();
      for (const packet of receiver.packets.splice(0)) {
        if (packet.type !== 'publish') continue;
        got.push(Buffer.from(packet.payload).toString());
        receiver.ack('puback', packet.packetId!);
      }
    }
    expect(got).toEqual(sent);
  });

  it('carries its properties on in their order, but not its topic alias', async () => {
    const stage = new Stage();
    const sender = await stage.connect('sender');
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('a');
    const properties = {
      payloadFormatIndicator: 1,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Buffer.from([1, 2]),
      userProperties: [
        ['b', '2'],
        ['a', '1'],
        ['b', '3'],
      ] as const,
    };
    sender.publish('a', 'x', { properties: { ...properties, topicAlias: 5, messageExpiryInterval: 9 } });
    await settled();
    expect(receiver.expect('publish').properties).toEqual({
      ...properties,
      correlationData: expect.anything(),
      messageExpiryInterval: 9,
    });
  });

  it('is counted', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('a');
    client.publish('a', 'x');
    await settled();
    expect(stage.counters).toMatchObject({ messagesReceived: 1, messagesSent: 1, sessionsNow: 1, subscriptionsNow: 1 });
    await client.vanish();
    expect(stage.counters).toMatchObject({ sessionsNow: 0, subscriptionsNow: 0, connectionsNow: 0 });
    expect(stage.of('session.closed')).toMatchObject([{ readMessages: 1, writtenMessages: 1, closeCode: 91 }]);
  });
});

describe('QoS 2 from a client', () => {
  it('is delivered once, however often it is sent before its release', async () => {
    const stage = new Stage();
    const sender = await stage.connect('sender', { cleanStart: false, properties: { sessionExpiryInterval: 60 } });
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('a');
    sender.publish('a', 'once', { qos: 2, packetId: 9 });
    sender.publish('a', 'once', { qos: 2, packetId: 9, dup: true });
    await settled();
    await sender.vanish();
    const again = await stage.connect('sender', { cleanStart: false, properties: { sessionExpiryInterval: 60 } });
    again.publish('a', 'once', { qos: 2, packetId: 9, dup: true });
    await settled();
    expect(again.expect('pubrec')).toMatchObject({ packetId: 9, reasonCode: 0 });
    expect(receiver.messages()).toEqual(['a once']);
    again.ack('pubrel', 9);
    again.publish('a', 'another', { qos: 2, packetId: 9 });
    await settled();
    expect(receiver.messages()).toEqual(['a another']);
  });

  it('answers the release of an unknown identifier and goes on', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.ack('pubrel', 12);
    await settled();
    expect(client.expect('pubcomp')).toMatchObject({ packetId: 12, reasonCode: 0x92 });
  });

  it.each([
    { version: 4, packets: [] },
    { version: 5, packets: [0x93] },
  ] as const)(
    'cannot leave more than the receive maximum unreleased at level $version',
    async ({ version, packets }) => {
      const stage = new Stage({ limits: { receiveMaximum: 3 } });
      const client = await stage.connect('one', { protocolVersion: version });
      for (let packetId = 1; packetId <= 3; packetId++) client.publish('a', '', { qos: 2, packetId });
      await settled();
      expect(client.packets.splice(0).map(({ type }) => type)).toEqual(['pubrec', 'pubrec', 'pubrec']);
      client.publish('a', '', { qos: 2, packetId: 4 });
      await settled();
      expect(client.ended).toBe(true);
      expect(client.packets.map((packet) => (packet as { reasonCode: number }).reasonCode)).toEqual(packets);
    },
  );
});

describe('a topic alias', () => {
  it('stands for the topic it was set for, and can be set anew', async () => {
    const stage = new Stage();
    const sender = await stage.connect('sender');
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('#');
    const properties = { topicAlias: 1 };
    sender.publish('first', '1', { properties });
    sender.publish('', '2', { properties });
    sender.publish('second', '3', { properties });
    sender.publish('', '4', { properties });
    await settled();
    expect(receiver.messages()).toEqual(['first 1', 'first 2', 'second 3', 'second 4']);
  });

  it.each([
    { name: 'before it is set', topicAlias: 3, topic: '', code: 0x82 },
    { name: 'above the maximum', topicAlias: 5, topic: 'a', code: 0x94 },
  ])('ends the connection when used $name', async ({ topicAlias, topic, code }) => {
    const stage = new Stage({ limits: { topicAliasMaximum: 4 } });
    const client = await stage.connect('one');
    client.publish(topic, '', { properties: { topicAlias } });
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(code);
    expect(client.ended).toBe(true);
  });

  it('does not outlive its connection', async () => {
    const stage = new Stage();
    const options = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
    const first = await stage.connect('one', options);
    first.publish('a', '', { properties: { topicAlias: 1 } });
    await first.vanish();
    const second = await stage.connect('one', options);
    second.publish('', '', { properties: { topicAlias: 1 } });
    await settled();
    expect(second.expect('disconnect').reasonCode).toBe(0x82);
  });

  it('is no way around a permission', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('#');
    const client = await stage.connect('one');
    client.publish('free', '', { properties: { topicAlias: 1 } });
    await settled();
    stage.permitted.set('demo', { publish: ['other'], subscribe: ['#'], receive: ['#'] });
    stage.rightsVersion++;
    client.publish('', 'denied', { qos: 1, properties: { topicAlias: 1 } });
    await settled();
    expect(client.expect('puback').reasonCode).toBe(0x87);
    expect(receiver.messages()).toEqual(['free ']);
  });
});

describe('a publish that is not permitted', () => {
  function strict(): Stage {
    const stage = new Stage();
    stage.permitted.set('demo', { publish: ['mine/#'], subscribe: ['#'], receive: ['#'] });
    return stage;
  }

  it.each([1, 2] as const)('is told with its ticket at QoS %i in MQTT 5, and the client stays', async (qos) => {
    const stage = strict();
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('#');
    const client = await stage.connect('one');
    client.publish('yours', 'x', { qos, packetId: 5 });
    client.publish('mine/a', 'y', { qos, packetId: 5 });
    await settled();
    const answer = client.expect(qos === 1 ? 'puback' : 'pubrec');
    expect(answer).toMatchObject({ packetId: 5, reasonCode: 0x87, properties: { reasonString: 'ticket T00000' } });
    expect(receiver.messages()).toEqual(['mine/a y']);
    expect(client.ended).toBe(false);
    expect(stage.of('message.denied')).toMatchObject([{ refusal: { resource: 'yours' } }]);
  });

  it('is dropped, counted and kept with a ticket at QoS 0 in MQTT 5', async () => {
    const stage = strict();
    const client = await stage.connect('one');
    for (let round = 0; round < 1000; round++) client.publish('yours', 'x');
    await settled();
    expect(client.ended).toBe(false);
    expect(stage.counters.messagesDenied).toBe(1000);
    expect(stage.of('message.denied').length).toBeLessThan(20);
  });

  it.each(LEVELS)('closes an MQTT 3.1.1 client at QoS %i, as an acknowledgement would lie', async (qos) => {
    const stage = strict();
    const client = await stage.connect('one', { protocolVersion: 4 });
    client.publish('yours', 'x', { qos });
    await settled();
    expect(client.ended).toBe(true);
    expect(client.packets).toEqual([]);
    expect(stage.of('session.closed')).toMatchObject([{ reason: expect.stringContaining('ticket T00000') }]);
  });

  it('has too many levels', async () => {
    const stage = new Stage({ limits: { topicLevels: 8 } });
    const client = await stage.connect('one');
    client.publish('a/'.repeat(8), '', { qos: 1 });
    client.publish('a/'.repeat(7), '', { qos: 1 });
    await settled();
    expect(client.expect('puback').reasonCode).toBe(0x97);
    expect(client.expect('puback').reasonCode).toBe(0x10);
  });
});

describe('message expiry', () => {
  it('is counted down while a message waits, and ends it', async () => {
    const stage = new Stage();
    const options = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };
    const receiver = await stage.connect('receiver', options);
    await receiver.subscribed('#', { qos: 1 });
    await receiver.vanish();
    const sender = await stage.connect('sender');
    sender.publish('long', '', { qos: 1, properties: { messageExpiryInterval: 30 } });
    sender.publish('short', '', { qos: 1, properties: { messageExpiryInterval: 5 } });
    await stage.pass(10);
    const again = await stage.connect('receiver', options);
    await settled();
    expect(again.expect('publish')).toMatchObject({ topic: 'long', properties: { messageExpiryInterval: 20 } });
    expect(again.packets).toEqual([]);
    expect(stage.counters.droppedExpired).toBe(1);
  });
});

describe('retained messages', () => {
  it('come with the retain flag to who subscribes later, and only the last of each topic', async () => {
    const stage = new Stage();
    const sender = await stage.connect('sender', { protocolVersion: 4 });
    const early = await stage.connect('early');
    await early.subscribed('#', { qos: 1 });
    sender.publish('a', 'old', { retain: true });
    sender.publish('a', 'new', { retain: true, qos: 1 });
    sender.publish('b/c', 'other', { retain: true });
    sender.publish('$x', 'hidden', { retain: true });
    await settled();
    expect(early.packets.map((packet) => packet.type === 'publish' && packet.retain)).toEqual([false, false, false]);
    const late = await stage.connect('late');
    await late.subscribed('#', { qos: 1 });
    expect(late.packets).toMatchObject([
      { topic: 'a', payload: Buffer.from('new'), retain: true, qos: 1 },
      { topic: 'b/c', retain: true, qos: 0 },
    ]);
  });

  it('are removed by an empty one, which still reaches subscribers', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.publish('a', 'x', { retain: true });
    client.publish('a', '', { retain: true });
    await client.subscribed('a');
    expect(client.messages()).toEqual([]);
    expect(stage.counters).toMatchObject({ retainedNow: 0, retainedBytesNow: 0 });
    client.publish('a', '', { retain: true });
    await settled();
    expect(client.messages()).toEqual(['a ']);
  });

  it.each([
    { retainHandling: 0, first: 1, second: 1 },
    { retainHandling: 1, first: 1, second: 0 },
    { retainHandling: 2, first: 0, second: 0 },
  ] as const)('come as retain handling $retainHandling wants it', async ({ retainHandling, first, second }) => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.publish('a', 'x', { retain: true });
    await client.subscribed('a', { retainHandling });
    expect(client.messages()).toHaveLength(first);
    await client.subscribed('a', { retainHandling });
    expect(client.messages()).toHaveLength(second);
  });

  it('keep their flag on the way to a subscription that wants it as published', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('a', { retainAsPublished: true });
    client.publish('a', 'x', { retain: true });
    client.publish('a', 'y');
    await settled();
    expect(client.packets).toMatchObject([{ retain: true }, { retain: false }]);
  });

  it('expire', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.publish('a', 'x', { retain: true, properties: { messageExpiryInterval: 10 } });
    await stage.pass(4);
    await client.subscribed('a');
    expect(client.expect('publish').properties?.messageExpiryInterval).toBe(6);
    await stage.pass(7);
    await client.subscribed('a');
    expect(client.packets).toEqual([]);
  });

  it('are bounded in number, and what is refused is still delivered', async () => {
    const stage = new Stage({ limits: { retainedMessages: 2 } });
    const client = await stage.connect('one');
    await client.subscribed('#');
    for (const topic of ['a', 'b', 'c', 'a']) client.publish(topic, 'x', { retain: true });
    await settled();
    expect(client.messages()).toHaveLength(4);
    expect(stage.counters).toMatchObject({ retainedNow: 2, retainedRefused: 1 });
  });

  it('outlive the last session of their organisation', async () => {
    const stage = new Stage();
    const first = await stage.connect('one');
    first.publish('a', 'x', { retain: true });
    await first.vanish();
    const second = await stage.connect('two');
    await second.subscribed('a');
    expect(second.messages()).toEqual(['a x']);
  });

  it('are not given to a session that may not receive them', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.publish('a', 'x', { retain: true });
    stage.permitted.set('demo', { publish: [], subscribe: ['#'], receive: ['b'] });
    await client.subscribed('#');
    expect(client.messages()).toEqual([]);
  });

  it.each([
    { qos: 1, type: 'puback' },
    { qos: 2, type: 'pubrec' },
  ] as const)('tells an MQTT 5 client whose QoS $qos message nobody has subscribed to', async ({ qos, type }) => {
    const stage = new Stage();
    const sender = await stage.connect('one');
    const reader = await stage.connect('two');
    sender.publish('a', 'x', { qos, packetId: 1 });
    await settled();
    expect(sender.expect(type)).toMatchObject({ packetId: 1, reasonCode: 0x10 });
    reader.subscribe('a');
    await settled();
    sender.publish('a', 'x', { qos, packetId: 2 });
    await settled();
    expect(sender.expect(type)).toMatchObject({ packetId: 2, reasonCode: 0 });
  });
});
