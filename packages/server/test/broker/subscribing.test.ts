import { describe, expect, it } from 'vitest';
import { Stage, settled } from './harness.ts';

describe('subscribing', () => {
  it('grants the QoS that was asked for', async () => {
    const stage = new Stage();
    const client = await stage.connect('one', { protocolVersion: 4 });
    expect(await client.subscribed('a', { qos: 2 })).toBe(2);
  });

  it('delivers a message once to a client whose subscriptions overlap, at the highest QoS', async () => {
    const stage = new Stage();
    const client = await stage.connect('one', { protocolVersion: 4 });
    await client.subscribed('a/#', { qos: 0 });
    await client.subscribed('a/+', { qos: 2 });
    await client.subscribed('a/b', { qos: 1 });
    client.publish('a/b', 'x', { qos: 2 });
    await settled();
    expect(client.packets.filter(({ type }) => type === 'publish')).toMatchObject([{ qos: 2 }]);
  });

  it('tells all identifiers of the subscriptions that match', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.subscribe('a/#', {}, 7);
    client.subscribe('a/+', {}, 300);
    client.subscribe('+/b', {});
    client.subscribe('c', {}, 9);
    client.publish('a/b', 'x', { properties: { contentType: 'text', messageExpiryInterval: 5 } });
    await settled();
    client.packets = client.packets.filter(({ type }) => type === 'publish');
    const got = client.expect('publish');
    const identifiers = [...(got.properties?.subscriptionIdentifiers ?? [])].sort((a, b) => a - b);
    expect(identifiers).toEqual([7, 300]);
    expect(got).toMatchObject({ properties: { contentType: 'text', messageExpiryInterval: 5 } });
  });

  it('tells identifiers with queued and retained messages too', async () => {
    const stage = new Stage();
    const options = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
    const client = await stage.connect('one', options);
    client.publish('a', 'kept', { retain: true });
    client.subscribe('a', { qos: 1 }, 4);
    await settled();
    client.expect('suback');
    expect(client.expect('publish').properties?.subscriptionIdentifiers).toEqual([4]);
    await client.vanish();
    (await stage.connect('two')).publish('a', 'queued', { qos: 1 });
    const again = await stage.connect('one', options);
    expect(again.expect('publish').properties?.subscriptionIdentifiers).toEqual([4]);
  });

  it('replaces a subscription to the same filter', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('a', { qos: 0 });
    await client.subscribed('a', { qos: 1 });
    client.publish('a', 'x', { qos: 1 });
    await settled();
    expect(client.packets.filter(({ type }) => type === 'publish')).toMatchObject([{ qos: 1 }]);
    expect(stage.counters.subscriptionsNow).toBe(1);
  });

  it('does not send back to a client what it has published itself, where it does not want it', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    const other = await stage.connect('two');
    await client.subscribed('a', { noLocal: true });
    client.publish('a', 'mine');
    other.publish('a', 'theirs');
    await settled();
    expect(client.messages()).toEqual(['a theirs']);
    await client.subscribed('+', {});
    client.publish('a', 'mine too');
    await settled();
    expect(client.messages()).toEqual(['a mine too']);
  });

  it('does not let wildcards of the first level reach the topics of the server', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('#');
    await client.subscribed('+/x');
    client.publish('$secret/x', '');
    await settled();
    expect(client.messages()).toEqual([]);
    await client.subscribed('$secret/#');
    client.publish('$secret/x', '');
    await settled();
    expect(client.messages()).toEqual(['$secret/x ']);
  });

  it('answers each filter of one SUBSCRIBE in its place', async () => {
    const stage = new Stage();
    stage.permitted.set('demo', { publish: [], subscribe: ['mine/#'], receive: ['#'] });
    const line = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    for (const version of [4, 5] as const) {
      const client = await stage.connect('one', { protocolVersion: version });
      client.send({
        type: 'subscribe',
        packetId: 3,
        subscriptions: [
          { ...line, filter: 'mine/a' },
          { ...line, filter: '#' },
          { ...line, filter: 'mine/+/#', qos: 2 },
        ],
      });
      await settled();
      const answer = client.expect('suback');
      expect(answer.reasonCodes).toEqual([1, version === 5 ? 0x87 : 0x80, 2]);
      expect(answer.properties?.reasonString).toBe(version === 5 ? 'ticket T00001' : undefined);
    }
    expect(stage.of('subscription.denied')).toHaveLength(2);
  });

  it.each([
    { name: 'too many levels', filters: ['a/b/c/d/e'], code: 0x8f },
    { name: 'too many subscriptions', filters: ['a', 'b', 'c'], code: 0x97 },
    { name: 'the older form of shared subscriptions', filters: ['$SharedSubscription/x/a'], code: 0x9e },
  ])('refuses $name', async ({ filters, code }) => {
    const stage = new Stage({ limits: { topicLevels: 4, subscriptionsPerSession: 2 } });
    const client = await stage.connect('one');
    let last = 0;
    for (const filter of filters) last = await client.subscribed(filter);
    expect(last).toBe(code);
  });

  it('ends with UNSUBSCRIBE, which tells what there was', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('a');
    client.send({ type: 'unsubscribe', packetId: 2, filters: ['a', 'b'] });
    client.publish('a', '');
    await settled();
    expect(client.expect('unsuback').reasonCodes).toEqual([0, 0x11]);
    expect(client.packets).toEqual([]);
  });
});

describe('a shared subscription', () => {
  async function group(stage: Stage, count: number, filter: string, qos: 0 | 1 = 0) {
    const members = [];
    for (let index = 0; index < count; index++) {
      const member = await stage.connect(`member-${index}`, {
        cleanStart: false,
        properties: { sessionExpiryInterval: 60 },
      });
      await member.subscribed(filter, { qos });
      members.push(member);
    }
    return members;
  }

  it('gives each message to one member, in turn', async () => {
    const stage = new Stage();
    const members = await group(stage, 3, '$share/g/a/+');
    const sender = await stage.connect('sender');
    for (let index = 0; index < 9; index++) sender.publish('a/b', String(index));
    await settled();
    expect(members.map((member) => member.messages().length)).toEqual([3, 3, 3]);
  });

  it('is apart from other groups and from plain subscriptions', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('$share/g/a');
    await client.subscribed('$share/h/a');
    await client.subscribed('a');
    client.publish('a', 'x');
    await settled();
    expect(client.messages()).toHaveLength(3);
  });

  it('passes over members that are away while another one is there', async () => {
    const stage = new Stage();
    const [first, second] = await group(stage, 2, '$share/g/a', 1);
    await first!.vanish();
    const sender = await stage.connect('sender');
    for (let index = 1; index <= 4; index++) sender.publish('a', String(index), { qos: 1, packetId: index });
    await settled();
    expect(second!.messages()).toHaveLength(4);
  });

  it('lets a message wait for one member when all are away', async () => {
    const stage = new Stage();
    const members = await group(stage, 2, '$share/g/a', 1);
    for (const member of members) await member.vanish();
    (await stage.connect('sender')).publish('a', 'x', { qos: 1 });
    await settled();
    const queued = stage.broker.listSessions('demo').map(({ queued }) => queued);
    expect(queued.reduce((sum, each) => sum + each, 0)).toBe(1);
  });

  it('gets nothing that is retained', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.publish('a', 'x', { retain: true });
    await client.subscribed('$share/g/a');
    expect(client.messages()).toEqual([]);
  });

  it('does not widen what may be subscribed', async () => {
    const stage = new Stage();
    stage.permitted.set('demo', { publish: [], subscribe: ['mine/#'], receive: ['#'] });
    const client = await stage.connect('one');
    expect(await client.subscribed('$share/g/#')).toBe(0x87);
    expect(await client.subscribed('$share/g/mine/#')).toBe(0);
  });
});
