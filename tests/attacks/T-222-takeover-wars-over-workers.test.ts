import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, RawClient } from './raw-client.ts';

/** Turns at once; later ones come with the seconds that pass, one second in advance. */
const TURNS = 10;

let server: TestServer;
beforeEach(async () => {
  server = await testServer({
    workers: 2,
    'limits.connectTimeout': '1s',
    'limits.devices.maximumConnectRate': 'unlimited',
  });
});
afterEach(() => server.close());

it('clients with one id that push each other out from two workers have no more turns than in one process', {
  timeout: 120_000,
}, async () => {
  const healthy = await RawClient.open(server, 'pump-8');
  let takeovers = 0;
  server.server.events.on('session.closed', ({ closeCode }) => {
    if (closeCode === 288) takeovers++;
  });
  const since = Date.now();
  const clients = await Promise.all(
    Array.from({ length: 40 }, () => RawClient.login(server, identity(server, 'pump-7'))),
  );
  expect(new Set(clients.map(({ code }) => code))).toEqual(new Set([0, 0x9f]));
  expect(takeovers).toBeGreaterThan(0);
  expect(takeovers).toBeLessThanOrEqual(TURNS + 1 + Math.ceil((Date.now() - since) / 1000));
  healthy.publish('iot-2/evt/status/fmt/json', 'served', { qos: 1 });
  expect((await healthy.take('puback')).reasonCode).toBeLessThan(0x80);
});
