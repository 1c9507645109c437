import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { policy, RawClient, VERSIONS } from './raw-client.ts';

const LAB = 'application:demo/lab';
const organisation = 'demo';
const may = (...resources: string[]) =>
  policy(
    { principals: [LAB], actions: ['connect'], resources: ['*'] },
    { principals: [LAB], actions: ['publish', 'subscribe', 'receive'], resources },
  );

let server: TestServer;
let id: string;
beforeEach(async () => {
  server = await testServer();
  await write('floor/#', 'hall/#');
  // A takeover war.
  for (let count = 0; count < 10; count++) await RawClient.open(server, 'lab', { clientId: 'probing' });
  await expect.poll(async () => (await server.api.incidents.list()).items.length).toBe(1);
  id = (await server.api.incidents.list()).items[0]?.id ?? '';
});
afterEach(() => server.close());

const write = (...resources: string[]) =>
  server.server.registry.policies.put({ organisation, text: may(...resources), by: 'system' });
const subscriptions = async () =>
  (await server.api.sessions.list(organisation)).items.find(({ clientId }) => clientId === 'lab')?.subscriptions;

describe.each(VERSIONS)('what a quarantine has taken from a session of version %s', (version) => {
  const keep =
    version === 5 ? { cleanStart: false, properties: { sessionExpiryInterval: 300 } } : { cleanStart: false };

  it('comes back with its end, as far as the policy permits it then', async () => {
    const lab = await RawClient.open(server, 'lab', { clientId: 'lab', ...keep }, version);
    for (const filter of ['floor/1', 'hall/1', 'hall/2']) expect(await lab.subscribe(filter, { qos: 1 })).toBe(1);
    await server.api.incidents.contain(id, 'quarantine');
    expect(await subscriptions()).toBe(0);
    // What its client gives up meanwhile stays given up.
    lab.send({ type: 'unsubscribe', packetId: 9, filters: ['hall/2'] });
    await lab.take('unsuback');
    await write('hall/#');
    expect(await subscriptions()).toBe(0);
    await server.api.incidents.release(id);
    expect(await subscriptions()).toBe(1);
    lab.publish('hall/1', 'again', { qos: 1 });
    expect((await lab.take('puback')).reasonCode).toBe(0);
    expect(await lab.heard()).toEqual(['hall/1 again']);
    await write('floor/#', 'hall/#');
    expect(await subscriptions()).toBe(1);
  });

  it('comes back to a session whose client was away meanwhile, and not to one that began anew', async () => {
    const lab = await RawClient.open(server, 'lab', { clientId: 'lab', ...keep }, version);
    await lab.subscribe('hall/1', { qos: 1 });
    await server.api.incidents.contain(id, 'quarantine');
    await lab.vanish();
    await server.api.incidents.release(id);
    expect(await subscriptions()).toBe(1);
    await server.api.incidents.contain(id, 'quarantine');
    const anew = await RawClient.open(server, 'lab', { clientId: 'lab', cleanStart: true }, version);
    await server.api.incidents.release(id);
    expect(await subscriptions()).toBe(0);
    expect(await anew.heard()).toEqual([]);
  });

  it('is not had by subscribing once more, nor by being contained twice', async () => {
    const lab = await RawClient.open(server, 'lab', { clientId: 'lab', ...keep }, version);
    await lab.subscribe('hall/1', { qos: 1 });
    await server.api.incidents.contain(id, 'quarantine');
    await lab.subscribe('hall/1', { qos: 1 });
    await server.api.incidents.contain(id, 'read-only');
    expect(await subscriptions()).toBe(1);
    await server.api.incidents.contain(id, 'quarantine');
    expect(await subscriptions()).toBe(0);
    await server.api.incidents.resolve(id);
    expect(await subscriptions()).toBe(1);
  });
});

it('what a quarantine has taken comes back after a restart of the server too', async () => {
  const keep = { cleanStart: false, properties: { sessionExpiryInterval: 300 } };
  const lab = await RawClient.open(server, 'lab', { clientId: 'lab', ...keep });
  await lab.subscribe('hall/1', { qos: 1 });
  await server.api.incidents.contain(id, 'quarantine');
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
  server = {
    ...server,
    server: again,
    port: again.mqttPort ?? 0,
    close: async () => {
      await again.close();
      await close();
    },
  };
  expect(await subscriptions()).toBe(0);
  await server.api.incidents.release(id);
  expect(await subscriptions()).toBe(1);
});
