import { INCIDENT_RULES } from '@sallyport/model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, RawClient } from './raw-client.ts';

const PUMP = 'device:demo/pump/pump-7';
const STRANGER = { localAddress: '127.0.0.21' };
const HOME = { localAddress: '127.0.0.22' };
/** The most that an operator may let the server do by itself. */
const ZEALOUS = Object.fromEntries(INCIDENT_RULES.map((rule) => [`incidents.limits.${rule}`, 'deregister']));

let server: TestServer;
beforeEach(async () => {
  server = await testServer({
    'limits.boundLoopback': true,
    'guessing.failuresPerPrincipal': 3,
    'guessing.failuresPerAddress': 5,
    'incidents.act': true,
    ...ZEALOUS,
  });
});
afterEach(() => server.close());

async function attempt(login: Parameters<typeof RawClient.login>[1], from: object): Promise<number | undefined> {
  try {
    const { client, code } = await RawClient.login(server, login, 5, from);
    await client.vanish();
    return code;
  } catch {
    return undefined;
  }
}

it('a stranger who fails in the name of a device has itself suspected, and the device goes on', {
  timeout: 60_000,
}, async () => {
  const pump = await RawClient.open(server, 'pump-7', {}, 5, HOME);
  const wrong = { ...identity(server, 'pump-7'), password: Buffer.from('wrong-token') };
  for (let count = 0; count < 8; count++) await attempt(wrong, STRANGER);
  await expect
    .poll(async () => (await server.api.incidents.list()).items.map(({ subject }) => subject))
    .toContain('address:127.0.0.21');
  const { items } = await server.api.incidents.list();
  expect(items.map(({ subject }) => subject)).not.toContain(PUMP);
  expect(items.every(({ state }) => state === 'open')).toBe(true);
  expect(await pump.settled()).toBe(true);
  expect(await attempt(identity(server, 'pump-7'), HOME)).toBe(0);
});

it('a thief who shows a revoked token has its address suspected, and the device goes on with its new one', async () => {
  const { credentials } = server.server.registry;
  const [old] = await credentials.list(PUMP);
  const { token } = await credentials.createToken({ principal: PUMP, by: 'system' });
  await credentials.revoke({ id: old?.id ?? '', by: 'system' });
  const fresh = { ...identity(server, 'pump-7'), password: Buffer.from(token) };
  const pump = await RawClient.open(server, 'pump-7', fresh, 5, HOME);
  expect(await attempt(identity(server, 'pump-7'), STRANGER)).toBe(0x87);
  await expect
    .poll(async () => (await server.api.incidents.list()).items.map(({ rule, subject }) => [rule, subject]))
    .toEqual([['revoked-credential', 'address:127.0.0.21']]);
  const [incident] = (await server.api.incidents.list()).items;
  await expect(server.api.incidents.contain(incident?.id ?? '', 'suspend')).rejects.toMatchObject({
    code: 'invalid_request',
  });
  expect(await pump.settled()).toBe(true);
});

it('another principal of the organisation cannot have it contained by naming it', async () => {
  const pump = await RawClient.open(server, 'pump-7', {}, 5, HOME);
  const rogue = await RawClient.open(server, 'pump-8', {}, 5, STRANGER);
  for (let count = 0; count < 6 && !rogue.closed; count++) {
    await rogue.subscribe(`iot-2/type/pump/id/pump-7/evt/e${count}/fmt/json`);
  }
  await expect
    .poll(async () => (await server.api.incidents.list()).items.map(({ subject }) => subject))
    .toEqual(['device:demo/pump/pump-8']);
  expect(await pump.settled()).toBe(true);
});
