import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { RawClient, VERSIONS } from './raw-client.ts';

const EVENT = 'iot-2/evt/status/fmt/json';
const RATE = 50;

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'limits.devices.maximumMessageRate': RATE });
});
afterEach(() => server.close());

async function slowed() {
  const { items } = await server.api.refusals({ limit: 50 });
  return items.filter(({ steps }) => steps.some(({ text }) => text.includes('read more slowly')));
}

describe.each(VERSIONS)('a flood of version %s', (version) => {
  it.each([
    ['messages', (client: RawClient) => client.publish(EVENT, 'flood')],
    ['pings', (client: RawClient) => client.send({ type: 'pingreq' })],
    [
      'subscriptions',
      (client: RawClient) =>
        client.send({
          type: 'subscribe',
          packetId: 1,
          subscriptions: [
            { filter: 'iot-2/cmd/+/fmt/+', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
          ],
        }),
    ],
  ])('of %s is read at its rate, loses nothing, and a healthy client is served before it', async (_, send) => {
    const healthy = await RawClient.open(server, 'pump-8');
    const desk = await RawClient.open(server, 'desk');
    await desk.subscribe('iot-2/type/pump/id/+/evt/+/fmt/+');
    const attacker = await RawClient.open(server, 'pump-7', {}, version);
    const seen = new Promise((resolve) => server.server.events.on('session.slowed', resolve));
    for (let count = 0; count < 4 * RATE; count++) send(attacker);
    await seen;
    for (let round = 1; round <= 20; round++) {
      healthy.publish(EVENT, `healthy ${round}`, { qos: 1, packetId: round });
      expect((await healthy.take('puback')).packetId).toBe(round);
    }
    const heard = await desk.heard();
    expect(heard.filter((line) => line.includes('healthy'))).toHaveLength(20);
    expect(heard.filter((line) => line.includes('flood')).length).toBeLessThan(4 * RATE);
    expect(attacker.closed).toBe(false);
    const [ticket, ...more] = await slowed();
    expect(more).toEqual([]);
    expect(ticket).toMatchObject({
      reason: 'quota_exceeded',
      principal: 'device:demo/pump/pump-7',
      cure: expect.stringContaining('limits.devices.maximumMessageRate'),
    });
    expect(ticket?.steps[0]?.compared?.expected).toBe(`at most ${RATE}`);
    expect(await attacker.settled()).toBe(true);
  });
});

it('that goes on for too long is closed with 0x97 and explained', async () => {
  await server.close();
  server = await testServer({ 'limits.devices.maximumMessageRate': 10, 'limits.maximumSlowdown': '1s' });
  const attacker = await RawClient.open(server, 'pump-7');
  for (let count = 0; count < 200; count++) attacker.publish(EVENT, 'flood');
  await attacker.gone;
  expect(attacker.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode: 0x97 }));
});

it('of one organisation leaves the other alone', async () => {
  await server.close();
  server = await testServer({ 'limits.organisations.maximumMessageRate': RATE });
  const neighbour = await RawClient.open(server, 'other/pump-7');
  const attacker = await RawClient.open(server, 'pump-7');
  const seen = new Promise((resolve) => server.server.events.on('session.slowed', resolve));
  for (let count = 0; count < 4 * RATE; count++) attacker.publish(EVENT, 'flood');
  await seen;
  for (let round = 1; round <= 20; round++) {
    neighbour.publish(EVENT, 'healthy', { qos: 1, packetId: round });
    expect((await neighbour.take('puback')).packetId).toBe(round);
  }
  expect((await slowed()).map(({ organisation }) => organisation)).toEqual(['demo']);
});
