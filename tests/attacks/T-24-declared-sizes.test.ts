import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { field, identity, RawClient, VERSIONS } from './raw-client.ts';

const EVENT = 'iot-2/evt/status/fmt/json';
/** PUBLISH and CONNECT with a remaining length of 200,000,000. */
const HUGE = Buffer.of(0x80, 0x84, 0xaf, 0x5f);

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

describe.each(VERSIONS)('a packet of 200 MB that is only declared, by a client of version %s', (version) => {
  it('ends the connection at its header, and a healthy client is served', async () => {
    const healthy = await RawClient.open(server, 'pump-8');
    const desk = await RawClient.open(server, 'desk');
    await desk.subscribe('iot-2/type/pump/id/pump-8/evt/+/fmt/+');
    const attackers = await Promise.all(
      Array.from({ length: 20 }, () => RawClient.open(server, 'pump-7', {}, version).catch(() => undefined)),
    );
    const before = process.memoryUsage();
    for (const attacker of attackers) attacker?.raw(Buffer.concat([Buffer.of(0x30), HUGE, field(EVENT)]));
    await Promise.all(attackers.map(async (attacker) => attacker?.gone));
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(50_000_000);
    healthy.publish(EVENT, 'served', { qos: 1 });
    expect(await healthy.take('puback')).toMatchObject({ reasonCode: 0 });
    expect(await desk.heard()).toHaveLength(1);
    const { items } = await server.api.refusals({ limit: 20 });
    expect(items).toContainEqual(
      expect.objectContaining({
        reason: 'packet_too_large',
        cure: expect.stringContaining('limits.maximumPacketSize'),
      }),
    );
  });

  it('is refused before CONNECT too', async () => {
    const stranger = await RawClient.dial(server, version);
    stranger.raw(Buffer.concat([Buffer.of(0x10), HUGE, field('MQTT'), Buffer.of(version)]));
    await stranger.gone;
    expect((await RawClient.login(server, identity(server, 'pump-8'))).code).toBe(0);
  });
});
