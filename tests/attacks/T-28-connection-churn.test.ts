import { afterEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
afterEach(() => server.close());

it.each(VERSIONS)(
  'a principal that connects in a loop is refused in the end, and others are served, in version %s',
  async (version) => {
    server = await testServer({ 'limits.devices.maximumConnectRate': 1, 'limits.connectTimeout': '1s' });
    const healthy = await RawClient.open(server, 'pump-8');
    // All at once, so that the turn of some is too far away.
    const codes = await Promise.all(
      Array.from({ length: 40 }, async () => (await RawClient.login(server, identity(server, 'pump-7'), version)).code),
    );
    expect(codes).toContain(version === 5 ? 0x9f : 3);
    expect((await server.api.refusals({ limit: 5 })).items).toContainEqual(
      expect.objectContaining({
        reason: 'connection_limit',
        cure: expect.stringContaining('limits.devices.maximumConnectRate'),
      }),
    );
    healthy.publish('iot-2/evt/status/fmt/json', 'served', { qos: 1 });
    expect((await healthy.take('puback')).reasonCode).toBeLessThan(0x80);
    expect((await RawClient.login(server, identity(server, 'tap'), version)).code).toBe(0);
  },
);

it('a principal that opens sessions without end meets its bound, and keeps none of another', async () => {
  server = await testServer({ 'limits.applications.maximumSessions': 10 });
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
  const keep = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
  const codes: number[] = [];
  for (let round = 0; round < 15; round++) {
    const login = { ...identity(server, 'lab'), clientId: `kept-${round}`, ...keep };
    const { client, code } = await RawClient.login(server, login);
    codes.push(code);
    await client.vanish();
  }
  expect(codes).toEqual([...Array(10).fill(0), ...Array(5).fill(0x97)]);
  expect((await server.api.sessions.list('demo')).items).toHaveLength(10);
  expect((await RawClient.login(server, identity(server, 'desk'))).code).toBe(0);
});

it('a stranger who connects in a loop from one address is closed before a handshake', async () => {
  server = await testServer({ 'limits.maximumConnectRatePerAddress': 1, 'limits.boundLoopback': true });
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => RawClient.dial(server)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(5);
  const { items } = await server.api.refusals({ limit: 10 });
  expect(items).toContainEqual(expect.objectContaining({ reason: 'connection_limit', action: 'handshake' }));
});
