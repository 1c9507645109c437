import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'limits.connectTimeout': '1s', 'limits.devices.maximumConnectRate': 'unlimited' });
});
afterEach(() => server.close());

it.each(VERSIONS)(
  'two clients with one id that push each other out get a bounded number of turns, in version %s',
  async (version) => {
    const healthy = await RawClient.open(server, 'pump-8');
    let takeovers = 0;
    server.server.events.on('session.closed', ({ closeCode }) => {
      if (closeCode === 288) takeovers++;
    });
    const codes = await Promise.all(
      Array.from({ length: 40 }, async () => (await RawClient.login(server, identity(server, 'pump-7'), version)).code),
    );
    // Ten at once, and the turns that come while the others may wait.
    expect(takeovers).toBeGreaterThan(0);
    expect(takeovers).toBeLessThanOrEqual(20);
    expect(codes).toContain(version === 5 ? 0x9f : 3);
    healthy.publish('iot-2/evt/status/fmt/json', 'served', { qos: 1 });
    expect((await healthy.take('puback')).reasonCode).toBeLessThan(0x80);
    expect((await server.api.refusals({ limit: 5 })).items).toContainEqual(
      expect.objectContaining({
        reason: 'connection_limit',
        cure: expect.stringContaining('limits.maximumTakeoverRate'),
      }),
    );
    expect((await server.api.sessions.list('demo')).items.filter(({ connected }) => connected)).toHaveLength(2);
  },
);
