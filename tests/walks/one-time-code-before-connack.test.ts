import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identity, RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { anotherCode, CodeDesk, demandCodes, UnlockingDevice } from '../unlock-devices.ts';

let server: TestServer;
let desk: CodeDesk;
beforeEach(async () => {
  server = await testServer();
  await demandCodes(server);
  desk = await CodeDesk.open(server);
});
afterEach(() => server.close());

const METHOD = { authenticationMethod: 'ONE-TIME-CODE' };

async function knock(more: object = {}): Promise<RawClient> {
  const client = await RawClient.dial(server);
  client.send({
    type: 'connect',
    protocolVersion: 5,
    cleanStart: true,
    keepAlive: 60,
    ...identity(server, 'pump-7'),
    properties: METHOD,
    ...more,
  });
  return client;
}

async function told(client: RawClient): Promise<unknown> {
  const { reasonCode, properties } = await client.take('auth');
  expect(reasonCode).toBe(0x18);
  return JSON.parse(Buffer.from(properties?.authenticationData ?? []).toString());
}

function give(client: RawClient, content: object): void {
  const authenticationData = Buffer.from(JSON.stringify(content));
  client.send({ type: 'auth', reasonCode: 0x18, properties: { ...METHOD, authenticationData } });
}

describe('a one-time code in AUTH packets before CONNACK', () => {
  it('lets the session begin with all its rights', async () => {
    const client = await knock();
    expect(await told(client)).toMatchObject({ status: 'sent', by: ['application'], attemptsLeft: 3 });
    const { code } = await desk.next();
    give(client, { code: anotherCode(code) });
    expect(await told(client)).toEqual({ status: 'wrong', attemptsLeft: 2 });
    give(client, { code });
    expect(await client.take('connack')).toMatchObject({ reasonCode: 0 });
    client.publish('iot-2/evt/status/fmt/json', '1', { qos: 1 });
    expect((await client.take('puback')).reasonCode).toBeLessThan(0x80);
    expect(await server.api.unlocks.list('demo')).toEqual({ items: [] });
    expect((await server.api.audit({ type: 'unlock.succeeded' })).items).toHaveLength(1);
  });

  it('makes another code when one is wished for, which voids the first', async () => {
    const client = await knock();
    await told(client);
    const first = (await desk.next()).code;
    give(client, {});
    expect(await told(client)).toMatchObject({ status: 'sent' });
    const { code } = await desk.next();
    give(client, { code: first });
    expect(await told(client)).toMatchObject({ status: 'wrong' });
    give(client, { code });
    expect(await client.take('connack')).toMatchObject({ reasonCode: 0 });
  });

  it('refuses the connection when no try is left, under a ticket', async () => {
    const client = await knock();
    await told(client);
    const wrong = anotherCode((await desk.next()).code);
    for (const attemptsLeft of [2, 1]) {
      give(client, { code: wrong });
      expect(await told(client)).toEqual({ status: 'wrong', attemptsLeft });
    }
    give(client, { code: wrong });
    expect((await client.take('connack')).reasonCode).toBe(0x87);
    expect((await server.api.refusals({ limit: 1 })).items[0]).toMatchObject({ reason: 'unlock_failed' });
  });

  it('is asked only of who has proven who it is', async () => {
    const client = await knock({ password: Buffer.from('wrong') });
    expect((await client.take('connack')).reasonCode).toBe(0x87);
    expect((await server.api.audit({ type: 'unlock.requested' })).items).toEqual([]);
  });

  it('is not asked where none is demanded', async () => {
    await demandCodes(server, { mode: 'off' });
    expect(await (await knock()).take('connack')).toMatchObject({ reasonCode: 0 });
  });

  it('is worth nothing in a session of the same device that waits for its own', async () => {
    const waiting = await UnlockingDevice.open(server);
    await waiting.ask();
    await desk.next();
    const client = await knock();
    await told(client);
    const { code } = await desk.next();
    expect(await waiting.give(code)).toMatchObject({ status: 'wrong' });
  });
});
