import { describe, expect, it } from 'vitest';
import { Crew, got, subscribed, until } from './crew.ts';
import { settled } from './harness.ts';

describe('several workers', () => {
  it('carry messages of every QoS from a client of one to a client of another', async () => {
    const crew = await Crew.of(3);
    const listener = await crew.connect(2, 'listener');
    await subscribed(listener, 'a/#', { qos: 2 });
    const sender = await crew.connect(1, 'sender');
    sender.publish('a/b', 'zero');
    sender.publish('a/b', 'one', { qos: 1, packetId: 7 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback')).toMatchObject({ packetId: 7, reasonCode: 0 });
    sender.publish('a/b', 'two', { qos: 2, packetId: 8 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('pubrec')).toMatchObject({ packetId: 8, reasonCode: 0 });
    await got(listener, 'a/b zero', 'a/b one', 'a/b two');
  });

  it('deliver what is published by anybody after SUBACK', async () => {
    const crew = await Crew.of(3);
    const sender = await crew.connect(1, 'sender');
    for (let round = 0; round < 20; round++) {
      const listener = await crew.connect(round % 2 === 0 ? 0 : 2, `listener-${round}`);
      listener.subscribe(`round/${round}`);
      while (!listener.packets.some(({ type }) => type === 'suback')) await new Promise((next) => setImmediate(next));
      sender.publish(`round/${round}`, 'at once');
      listener.expect('suback');
      await got(listener, `round/${round} at once`);
    }
  });

  it('tell a publisher that nobody has subscribed, or that somebody has in another worker', async () => {
    const crew = await Crew.of(2);
    const sender = await crew.connect(1, 'sender');
    sender.publish('a', 'x', { qos: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0x10);
    const listener = await crew.connect(0, 'listener');
    await subscribed(listener, 'a');
    sender.publish('a', 'x', { qos: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
    listener.send({ type: 'unsubscribe', packetId: 1, filters: ['a'] });
    await settled(20);
    sender.publish('a', 'x', { qos: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0x10);
  });

  it('keep organisations apart', async () => {
    const crew = await Crew.of(2);
    const listener = await crew.connect(0, 'listener', { username: 'other/app' });
    await subscribed(listener, '#');
    const sender = await crew.connect(1, 'sender');
    sender.publish('a', 'not yours');
    await settled(20);
    expect(listener.messages()).toEqual([]);
  });

  it('authorize each delivery where it is made', async () => {
    const crew = await Crew.of(2);
    const listener = await crew.connect(0, 'listener');
    await subscribed(listener, 'a/#');
    crew.stages[0]!.permitted.set('demo', { publish: ['#'], subscribe: ['#'], receive: ['a/b'] });
    crew.stages[0]!.rightsVersion++;
    const sender = await crew.connect(1, 'sender');
    sender.publish('a/b', 'yes');
    sender.publish('a/c', 'no');
    sender.publish('a/b', 'again');
    await got(listener, 'a/b yes', 'a/b again');
  });

  it('carry the properties of a message, and count its expiry down', async () => {
    const crew = await Crew.of(2);
    const listener = await crew.connect(0, 'listener');
    await subscribed(listener, 'a');
    const sender = await crew.connect(1, 'sender');
    const properties = {
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      userProperties: [['key', 'value'] as const],
    };
    sender.publish('a', 'x', {
      properties: { ...properties, userProperties: [...properties.userProperties] } as never,
    });
    await until(() => listener.packets.length === 1);
    expect(listener.expect('publish')).toMatchObject({ topic: 'a', properties });
  });

  it('do not send a client back what it does not want back', async () => {
    const crew = await Crew.of(2);
    const client = await crew.connect(1, 'client');
    await subscribed(client, 'a', { noLocal: true });
    const other = await crew.connect(0, 'other');
    await subscribed(other, 'a', { noLocal: true });
    client.publish('a', 'mine');
    await got(other, 'a mine');
    other.publish('a', 'theirs');
    await got(client, 'a theirs');
  });

  it('send wills to clients of other workers', async () => {
    const crew = await Crew.of(2);
    const listener = await crew.connect(0, 'listener');
    await subscribed(listener, 'will');
    const client = await crew.connect(1, 'client', {
      will: { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false },
    });
    await client.vanish();
    await got(listener, 'will gone');
  });
});
