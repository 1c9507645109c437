import { afterEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
afterEach(() => server.close());
const start = async (overrides: Readonly<Record<string, unknown>>) => {
  const fast = { 'limits.applications.maximumMessageRate': 1_000_000, 'limits.applications.maximumByteRate': '1GiB' };
  server = await testServer({ ...fast, ...overrides });
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
};
const lab = (clientId: string, version: 4 | 5 = 5, more = {}) =>
  RawClient.open(server, 'lab', { clientId, ...more }, version);
const PAYLOAD = 'x'.repeat(200 * 1024);
const metric = async (name: string) =>
  (await server.api.metrics())
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

describe.each(VERSIONS)('a subscriber of version %s that does not read', (version) => {
  it('costs no more than its bound at QoS 0, and no other subscriber a message', { timeout: 20_000 }, async () => {
    await start({ 'limits.maximumUnsentSize': '1MiB', 'limits.maximumUnsentSizeHard': '2MiB' });
    const slow = await lab('slow', version);
    const quick = await lab('quick', version);
    for (const client of [slow, quick]) expect(await client.subscribe('flood')).toBe(0);
    slow.socket.pause();
    const sender = await lab('sender');
    const rounds = 60;
    const each = 3;
    let heard = 0;
    for (let round = 0; round < rounds; round++) {
      for (let index = 0; index < each; index++) sender.publish('flood', PAYLOAD);
      await sender.settled();
      heard += (await quick.heard()).length;
    }
    expect(heard).toBe(rounds * each);
    // What was held for the slow one fits its bound and the buffers of the kernel; the rest of 35 MiB was dropped, and counted.
    const dropped = await metric('sallyport_dropped_slow_peer_total');
    expect(dropped).toBeGreaterThan(0);
    slow.socket.resume();
    expect(await slow.heard()).toHaveLength(rounds * each - dropped);
    await sender.vanish();
    await slow.vanish();
  });

  it('keeps no more messages of QoS 1 than its queue holds', { timeout: 20_000 }, async () => {
    await start({ 'limits.applications.maximumQueuedMessages': 10, 'limits.applications.maximumInflight': 5 });
    const slow = await lab('slow', version);
    expect(await slow.subscribe('flood', { qos: 1 })).toBe(1);
    const sender = await lab('sender');
    for (let index = 0; index < 200; index++) sender.publish('flood', String(index), { qos: 1, packetId: index + 1 });
    await sender.settled();
    const { items } = await server.api.sessions.list('demo');
    expect(items.find(({ clientId }) => clientId === 'slow')?.queued).toBeLessThanOrEqual(15);
    expect(await slow.heard()).toHaveLength(5);
    await Promise.all([slow.vanish(), sender.vanish()]);
  });

  it('keeps no more bytes of QoS 1 than its queue holds', { timeout: 20_000 }, async () => {
    await start({ 'limits.applications.maximumQueuedSize': '64KiB', 'limits.applications.maximumInflight': 1 });
    const slow = await lab('slow', version);
    expect(await slow.subscribe('flood', { qos: 1 })).toBe(1);
    const sender = await lab('sender');
    for (let index = 0; index < 50; index++)
      sender.publish('flood', 'x'.repeat(16 * 1024), { qos: 1, packetId: index + 1 });
    await sender.settled();
    const { items } = await server.api.sessions.list('demo');
    expect(items.find(({ clientId }) => clientId === 'slow')?.queued).toBeLessThanOrEqual(6);
    await Promise.all([slow.vanish(), sender.vanish()]);
  });

  it('is disconnected when the answers that it asks for and does not take pile up', { timeout: 20_000 }, async () => {
    await start({
      'limits.maximumUnsentSize': '64KiB',
      'limits.maximumUnsentSizeHard': '128KiB',
      'limits.closeTimeout': '100ms',
    });
    const greedy = await lab('greedy', version);
    greedy.socket.pause();
    const pings = Buffer.alloc(200_000, Buffer.from([0xc0, 0]));
    const ended = new Promise((resolve) => server.server.events.on('session.closed', resolve));
    const pump = setInterval(() => greedy.raw(pings), 10);
    await ended;
    clearInterval(pump);
    greedy.socket.destroy();
  });
});
