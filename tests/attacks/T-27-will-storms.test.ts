import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'limits.maximumWillSize': '1KiB', 'limits.applications.maximumSessions': 30 });
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
});
afterEach(() => server.close());

const will = (size: number) =>
  ({ topic: 'storm/will', payload: Buffer.alloc(size, 'x'), qos: 1, retain: true }) as const;

it.each(VERSIONS)('a will that is too large is refused with CONNECT and explained, in version %s', async (version) => {
  const { code } = await RawClient.login(
    server,
    { ...identity(server, 'lab'), clientId: 'huge', will: will(2000) },
    version,
  );
  expect(code).toBe(version === 5 ? 0x95 : 3);
  expect((await server.api.refusals({ limit: 5 })).items).toContainEqual(
    expect.objectContaining({ reason: 'packet_too_large', cure: expect.stringContaining('limits.maximumWillSize') }),
  );
});

it.each(VERSIONS)(
  'a storm of wills sends one for each session, and a healthy client is served, in version %s',
  async (version) => {
    const healthy = await RawClient.open(server, 'pump-8');
    const witness = await RawClient.open(server, 'lab', { clientId: 'witness' });
    await witness.subscribe('storm/#');
    const attackers = await Promise.all(
      Array.from({ length: 25 }, (_, index) =>
        RawClient.open(server, 'lab', { clientId: `storm-${index}`, will: will(500) }, version),
      ),
    );
    const ended = new Promise<void>((resolve) => {
      let left = attackers.length;
      server.server.events.on('session.closed', () => {
        left--;
        if (left === 0) resolve();
      });
    });
    for (const attacker of attackers) void attacker.vanish();
    healthy.publish('iot-2/evt/status/fmt/json', 'served', { qos: 1 });
    expect((await healthy.take('puback')).reasonCode).toBeLessThan(0x80);
    await ended;
    expect(await witness.heard()).toHaveLength(25);
    const late = await RawClient.open(server, 'lab', { clientId: 'late' });
    await late.subscribe('storm/#');
    expect(await late.heard()).toHaveLength(1);
  },
);
