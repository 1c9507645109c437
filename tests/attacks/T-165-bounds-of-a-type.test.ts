import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { RawClient, VERSIONS } from './raw-client.ts';

const EVENT = 'iot-2/evt/a/fmt/json';
const pump = { organisation: 'demo', id: 'pump' };

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'limits.devices.maximumSubscriptions': 4 });
  const { registry } = server.server;
  await registry.types.create({ organisation: 'demo', id: 'valve', class: 'device', by: 'system' });
  valve = await registry.devices.create({ organisation: 'demo', type: 'valve', id: 'valve-1', by: 'system' });
});
afterEach(() => server.close());

let valve: { readonly token: string };
const openValve = (version: 4 | 5) =>
  RawClient.open(server, 'pump-7', { clientId: 'd:demo:valve:valve-1', password: Buffer.from(valve.token) }, version);
const subscribe = (client: RawClient, count: number) => client.subscribe(`iot-2/cmd/c${count}/fmt/json`);

describe.each(VERSIONS)('a device of version %s under the bounds of its type', (version) => {
  it('is held to them in its live session at once; devices of other types are not, nor the type of that name elsewhere', async () => {
    const bound = await RawClient.open(server, 'pump-7', {}, version);
    const neighbour = await RawClient.open(server, 'other/pump-7', {}, version);
    const free = await openValve(version);
    for (const client of [bound, neighbour, free]) for (const count of [1, 2]) await subscribe(client, count);
    await server.api.types.update(pump, { limits: { maximumSubscriptions: 2 } });
    for (const client of [neighbour, free]) expect(await subscribe(client, 3)).toBe(0);
    // Watson clients of 3.1.1 are disconnected.
    expect(await subscribe(bound, 3)).toBe(version === 5 ? 0x97 : 'closed');
    const { items } = await server.api.refusals({ limit: 1 });
    expect(items[0]).toMatchObject({
      reason: 'quota_exceeded',
      principal: 'device:demo/pump/pump-7',
      cure: expect.stringContaining('sallyport type set pump --org demo --limits maximumSubscriptions=MORE'),
    });
    await server.api.types.update(pump, { limits: null });
    const again = await RawClient.open(server, 'pump-7', {}, version);
    for (const count of [1, 2, 3, 4]) expect(await subscribe(again, count)).toBe(0);
    expect(await subscribe(again, 5)).toBe(version === 5 ? 0x97 : 'closed');
    const [last] = (await server.api.refusals({ limit: 1 })).items;
    expect(last?.cure).toContain('limits.devices.maximumSubscriptions in the configuration');
  });

  it('is slowed down by their rates while others are not', async () => {
    const slowed: (string | undefined)[] = [];
    server.server.events.on('session.slowed', ({ refusal }) => slowed.push(refusal.principal));
    const bound = await RawClient.open(server, 'pump-7', {}, version);
    const free = await openValve(version);
    await server.api.types.update(pump, { limits: { maximumMessageRate: 5 } });
    for (let count = 0; count < 40; count++) for (const client of [bound, free]) client.publish(EVENT, String(count));
    await expect.poll(() => slowed, { timeout: 20_000 }).toEqual(['device:demo/pump/pump-7']);
    expect(await free.settled()).toBe(true);
  });
});

it('a type may be bounded in sessions and connections, after a restart too', async () => {
  await server.api.types.update(pump, { limits: { maximumSessions: 1, maximumQueuedMessages: 3 } });
  const { loadConfiguration, startServer } = await import('@sallyport/server');
  await server.server.close();
  const overrides = {
    dataDirectory: server.directory,
    'listeners.mqttTls.port': 0,
    'listeners.http.port': server.httpPort,
    'log.level': 'silent',
  };
  const again = await startServer({ configuration: loadConfiguration({ overrides }) });
  const { close } = server;
  server = { ...server, server: again, port: again.mqttPort ?? 0, close: () => again.close().then(close) };
  expect(await server.api.types.get(pump)).toMatchObject({ limits: { maximumSessions: 1, maximumQueuedMessages: 3 } });
  const keep = { cleanStart: false, properties: { sessionExpiryInterval: 300 } };
  const away = await RawClient.open(server, 'pump-7', keep);
  await away.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 });
  await away.vanish();
  const desk = await RawClient.open(server, 'desk');
  for (let count = 0; count < 6; count++) {
    desk.publish('iot-2/type/pump/id/pump-7/cmd/c/fmt/json', String(count), { qos: 1 });
    await desk.take('puback');
  }
  const back = await RawClient.open(server, 'pump-7', keep);
  expect((await back.heard()).map((line) => line.split(' ')[1])).toEqual(['3', '4', '5']);
});

it('no bound of a type frees its devices from that of the organisation', async () => {
  await server.close();
  server = await testServer({ 'limits.organisations.maximumSubscriptions': 3 });
  await server.api.types.update(pump, { limits: { maximumSubscriptions: 1000 } });
  const client = await RawClient.open(server, 'pump-7');
  for (const count of [1, 2, 3]) expect(await subscribe(client, count)).toBe(0);
  expect(await subscribe(client, 4)).toBe(0x97);
  const [refusal] = (await server.api.refusals({ limit: 1 })).items;
  expect(refusal?.cure).toContain('limits.organisations.maximumSubscriptions');
});

it.each<object>([
  { maximumSubscriptions: 0 },
  { maximumSubscriptions: 1.5 },
  { maximumMessageRate: -1 },
  { maximumMessageRate: 1e300 },
  { maximumQueuedSize: 1 },
  { maximumMessageRate: '5' },
  { maximumPacketSize: 5000 },
  { constructor: 1 },
])('bounds that are none are refused: %j', async (limits) => {
  await expect(server.api.types.update(pump, { limits: limits as never })).rejects.toMatchObject({
    code: 'invalid_request',
  });
  expect((await server.api.types.get(pump)).limits).toBeUndefined();
});
