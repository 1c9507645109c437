import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { connectPacket, field, identity, LABORATORY, packetBytes, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({
    'limits.applications.maximumSubscriptions': 20,
    'limits.applications.receiveMaximum': 10,
    'limits.maximumTopicLevels': 16,
    'limits.maximumRetainedMessages': 20,
    'limits.maximumSessions': 12,
    'limits.maximumInstances': 2,
  });
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
});
afterAll(() => server.close());

const lab = (version: 4 | 5, clientId = 'hoarder') => RawClient.open(server, 'lab', { clientId }, version);
const failed = (code: number | 'closed') => code === 'closed' || code >= 0x80;

describe.each(VERSIONS)('a session of version %s', (version) => {
  it('holds no more open QoS 2 messages than it was told', async () => {
    const client = await RawClient.dial(server, version);
    const welcome = await client.connect({ ...identity(server, 'lab'), clientId: 'hoarder' });
    if (version === 5) expect(welcome.properties).toMatchObject({ receiveMaximum: 10 });
    for (let packetId = 1; packetId <= 11; packetId++) client.publish('x', 'x', { qos: 2, packetId });
    await client.gone;
    expect(client.packets.filter(({ type }) => type === 'pubrec').length).toBeLessThanOrEqual(10);
    if (version === 5)
      expect(client.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode: 0x93 }));
  });

  it('frees no room by answering what was never sent to it', async () => {
    const client = await lab(version);
    for (const type of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const)
      client.send({ type, packetId: 77, reasonCode: 0 });
    await client.settled();
    await client.vanish();
    const another = await lab(version);
    expect(await another.settled()).toBe(true);
    await another.vanish();
  });

  it('has a bounded number of subscriptions, one by one and in one packet', async () => {
    const client = await lab(version);
    let granted = 0;
    for (let index = 0; index < 30; index++) {
      if (!failed(await client.subscribe(`t/${index}`))) granted++;
    }
    expect(granted).toBe(20);
    const head = version === 5 ? [0, 2, 0] : [0, 2];
    const lines = Array.from({ length: 5000 }, (_, index) => Buffer.concat([field(`m/${index}`), Buffer.of(0)]));
    client.raw(packetBytes(0x82, Buffer.from(head), ...lines));
    const answer = await client.take('suback');
    expect(answer.reasonCodes.every(failed)).toBe(true);
    // The same filter again is not one more.
    expect(await client.subscribe('t/1')).toBe(0);
    await client.vanish();
  });

  it.each(['publish', 'subscribe', 'share'] as const)('has topics of bounded depth: %s', async (how) => {
    const deep = `${'a/'.repeat(32_000)}a`;
    const client = await lab(version);
    if (how === 'publish') {
      client.publish(deep, 'x', { qos: 1, retain: true });
      const answer = await client.takeOrEnd('puback');
      expect(failed(answer?.reasonCode ?? 'closed')).toBe(true);
    } else {
      const filter = `${'+/'.repeat(how === 'share' ? 30_000 : 32_000)}#`;
      expect(failed(await client.subscribe(how === 'share' ? `$share/g/${filter}` : filter))).toBe(true);
    }
    await client.vanish();
  });

  it('leaves a bounded number of retained messages', async () => {
    const client = await lab(version);
    for (let index = 0; index < 100; index++) client.publish(`keep/${index}`, 'x', { retain: true });
    await client.settled();
    await client.subscribe('keep/#');
    expect((await client.heard()).length).toBeLessThanOrEqual(20);
    for (let index = 0; index < 100; index++) client.publish(`keep/${index}`, '', { retain: true });
    await client.settled();
    await client.vanish();
  });

  it('is one of a bounded number in its organisation', async () => {
    const keep = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const clients: RawClient[] = [];
    const codes: number[] = [];
    for (let index = 0; index < 16; index++) {
      const { client, code } = await RawClient.login(
        server,
        { ...identity(server, 'lab'), clientId: `many-${version}-${index}`, ...keep },
        version,
      );
      codes.push(code);
      clients.push(client);
    }
    expect(codes.filter((code) => code === 0).length).toBeLessThanOrEqual(12);
    // Another organisation has its own.
    const neighbour = await RawClient.open(server, 'other/desk');
    await neighbour.vanish();
    for (let index = 0; index < 16; index++)
      await server.api.sessions.close('demo', `many-${version}-${index}`).catch(() => {});
    for (const client of clients) await client.gone;
  });

  it('has a bounded number of instances', async () => {
    const codes: number[] = [];
    const clients: RawClient[] = [];
    for (let index = 0; index < 4; index++) {
      const { client, code } = await RawClient.login(
        server,
        { ...identity(server, 'desk'), clientId: `A:demo:desk:${index}` },
        version,
      );
      codes.push(code);
      clients.push(client);
    }
    expect(codes.filter((code) => code === 0)).toHaveLength(2);
    for (const client of clients) await client.vanish();
  });
});

describe('user properties', () => {
  const many = (bytes: number) => Array.from({ length: Math.floor(bytes / 10) }, () => ['abc', 'de'] as const);

  it('are bounded by the size of a packet', async () => {
    const client = await lab(5);
    client.publish('x', 'x', { properties: { userProperties: many(300_000) } });
    expect(await client.take('disconnect')).toMatchObject({ reasonCode: 0x95 });
  });

  it('of CONNECT are bounded before anybody is known', async () => {
    const client = await RawClient.dial(server, 5);
    client.send(connectPacket({ clientId: 'x', properties: { userProperties: many(300_000) } }, 5));
    await client.gone;
    expect(client.packets.some((packet) => packet.type === 'connack' && packet.reasonCode === 0)).toBe(false);
  });

  it('within the bound go through, in their order', async () => {
    const client = await lab(5);
    await client.subscribe('x');
    const userProperties = Array.from({ length: 2000 }, (_, index) => ['k', String(index)] as const);
    client.publish('x', 'x', { properties: { userProperties } });
    expect(await client.take('publish')).toMatchObject({ properties: { userProperties } });
    await client.vanish();
  });
});
