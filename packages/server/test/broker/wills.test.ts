import type { Will } from '@sallyport/mqtt';
import { describe, expect, it } from 'vitest';
import { type Client, type ConnectOptions, Stage, settled } from './harness.ts';

const WILL: Will = { topic: 'gone', payload: Buffer.from('farewell'), qos: 1, retain: false };

async function watcher(stage: Stage): Promise<Client> {
  const client = await stage.connect('watcher');
  await client.subscribed('#', { qos: 1 });
  return client;
}

describe('a will', () => {
  it.each([
    { how: 'the connection breaks', sent: true, leave: async (client: Client) => client.vanish() },
    {
      how: 'DISCONNECT says so',
      sent: true,
      leave: async (client: Client) => client.send({ type: 'disconnect', reasonCode: 4 }),
    },
    {
      how: 'the protocol is violated',
      sent: true,
      leave: async (client: Client) => client.raw(Buffer.from([0xf0, 0])),
    },
    { how: 'a second CONNECT comes', sent: true, leave: async (client: Client) => client.connect('again') },
    {
      how: 'the client says goodbye',
      sent: false,
      leave: async (client: Client) => client.send({ type: 'disconnect', reasonCode: 0 }),
    },
  ])('is sent or not when $how: $sent', async ({ sent, leave }) => {
    const stage = new Stage();
    const watching = await watcher(stage);
    const client = await stage.connect('one', { will: WILL });
    await leave(client);
    await settled();
    expect(watching.messages()).toEqual(sent ? ['gone farewell'] : []);
    await stage.pass(10);
    expect(watching.messages()).toEqual([]);
  });

  it('is sent when nothing is heard any more, and on takeover', async () => {
    const stage = new Stage();
    const watching = await watcher(stage);
    await stage.connect('one', { will: WILL, keepAlive: 2 });
    await stage.pass(5);
    expect(watching.messages()).toEqual(['gone farewell']);
    await stage.connect('two', { will: WILL });
    await stage.connect('two');
    expect(watching.messages()).toEqual(['gone farewell']);
  });

  it('carries its properties, and lives from its sending on', async () => {
    const stage = new Stage();
    const watching = await watcher(stage);
    const properties = { contentType: 'text', messageExpiryInterval: 20, userProperties: [['a', 'b']] as const };
    const client = await stage.connect('one', { will: { ...WILL, properties } });
    await stage.pass(30);
    await client.vanish();
    expect(watching.expect('publish').properties).toEqual(properties);
  });

  it('is retained where it asks for it', async () => {
    const stage = new Stage();
    await (await stage.connect('one', { protocolVersion: 4, will: { ...WILL, retain: true } })).vanish();
    const late = await watcher(stage);
    expect(late.expect('publish')).toMatchObject({ topic: 'gone', retain: true });
  });

  const delayed: ConnectOptions = {
    cleanStart: false,
    will: { ...WILL, properties: { willDelayInterval: 10 } },
    properties: { sessionExpiryInterval: 60 },
  };

  it('waits for its delay', async () => {
    const stage = new Stage();
    const watching = await watcher(stage);
    await (await stage.connect('one', delayed)).vanish();
    await stage.pass(9);
    expect(watching.messages()).toEqual([]);
    await stage.pass(3);
    expect(watching.messages()).toEqual(['gone farewell']);
  });

  it('is not sent when the client comes back in time', async () => {
    const stage = new Stage();
    const watching = await watcher(stage);
    await (await stage.connect('one', delayed)).vanish();
    await stage.pass(5);
    const { will, ...without } = delayed;
    await stage.connect('one', without);
    await stage.pass(60);
    expect(watching.messages()).toEqual([]);
    expect(will).toBeDefined();
  });

  it.each([
    { how: 'a clean start', end: async (stage: Stage) => void (await stage.connect('one')) },
    { how: 'its expiry', end: (stage: Stage) => stage.pass(6) },
  ])('is sent early when the session ends by $how', async ({ end }) => {
    const stage = new Stage();
    const watching = await watcher(stage);
    await (await stage.connect('one', { ...delayed, properties: { sessionExpiryInterval: 4 } })).vanish();
    await end(stage);
    await settled();
    expect(watching.messages()).toEqual(['gone farewell']);
  });

  it('is not sent when it is not permitted any more at that moment', async () => {
    const stage = new Stage();
    const watching = await watcher(stage);
    const client = await stage.connect('one', { will: WILL });
    stage.permitted.set('demo', { publish: [], subscribe: ['#'], receive: ['#'] });
    await client.vanish();
    expect(watching.messages()).toEqual([]);
    expect(stage.of('message.denied')).toMatchObject([{ refusal: { action: 'will', resource: 'gone' } }]);
  });

  it('goes to the topic of the device itself', async () => {
    const stage = new Stage();
    const watching = await watcher(stage);
    const will = { ...WILL, topic: 'iot-2/evt/gone/fmt/json', retain: true };
    await (await stage.connect('d:demo:pump:pump-7', { protocolVersion: 4, will })).vanish();
    expect(watching.messages()).toEqual(['iot-2/type/pump/id/pump-7/evt/gone/fmt/json farewell']);
    expect(stage.counters.retainedNow).toBe(0);
  });
});
