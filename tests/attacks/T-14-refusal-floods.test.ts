import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'audit.maximumRefusals': 1000, 'audit.maximumRows': 1000 });
});
afterEach(() => server.close());

const refusals = async () => (await server.api.refusals({ limit: 500 })).items;
const counted = async (filter: { action: string }) =>
  (await refusals()).filter(({ action }) => action === filter.action).reduce((sum, { count }) => sum + count, 0);

describe('equal refusals', () => {
  it.each(VERSIONS)('of logins with version %s share one ticket that counts each of them', async (version) => {
    const login = { ...identity(server, 'pump-7'), password: Buffer.from('wrong-1') };
    for (let round = 0; round < 60; round++) {
      const { client } = await RawClient.login(server, login, version);
      await client.gone;
    }
    expect(await refusals()).toMatchObject([{ reason: 'wrong_secret', count: 60 }]);
  });

  it('of messages in one flood are each counted, though not each is worked out', async () => {
    const client = await RawClient.open(server, 'pump-7');
    for (let round = 0; round < 2000; round++) client.publish('not/mine', 'x');
    await client.settled();
    expect(await counted({ action: 'publish' })).toBe(2000);
    expect((await refusals()).filter(({ action }) => action === 'publish')).toHaveLength(1);
  });

  it('of subscriptions in one packet are each counted', async () => {
    const client = await RawClient.open(server, 'pump-7');
    const line = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const subscriptions = Array.from({ length: 300 }, (_, index) => ({ filter: `foreign/${index}`, ...line }));
    client.send({ type: 'subscribe', packetId: 1, subscriptions });
    expect((await client.take('suback')).reasonCodes.every((code) => code >= 0x80)).toBe(true);
    expect(await counted({ action: 'subscribe' })).toBe(300);
  });
});

describe('ever new refusals', () => {
  it('of one address get a bounded number of tickets, and none is lost to the count', { timeout: 20_000 }, async () => {
    const one = async (index: number) => {
      const { client } = await RawClient.login(server, {
        clientId: `d:demo:pump:ghost-${index}`,
        username: 'use-token-auth',
        password: Buffer.from('x'),
      });
      await client.gone;
    };
    const total = 500;
    for (let index = 0; index < total; index += 10)
      await Promise.all(Array.from({ length: 10 }, (_, more) => one(index + more)));
    const kept = await refusals();
    expect(kept.length).toBeLessThan(total);
    expect(kept.reduce((sum, { count }) => sum + count, 0)).toBe(total);
  });

  it('of any size leave little behind', async () => {
    const client = await RawClient.open(server, 'pump-7');
    for (let index = 0; index < 40; index++) client.publish(`${'x'.repeat(60_000)}/${index}`, 'x');
    await client.settled();
    expect(JSON.stringify(await refusals()).length).toBeLessThan(200_000);
  });
});

it('the log and the audit trail do not grow with each of them', async () => {
  const client = await RawClient.open(server, 'pump-7');
  for (let round = 0; round < 5000; round++) client.publish(`not/mine/${round}`, 'x');
  await client.settled();
  const { items } = await server.api.audit({ type: 'message.denied', limit: 500 });
  expect(items.length).toBeLessThan(200);
});
