import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { LABORATORY, RawClient } from './raw-client.ts';

const BOUND = 50;

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'limits.maximumRetainedMessages': BOUND, 'limits.maximumRetainedSize': '64KiB' });
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
});
afterEach(() => server.close());

const lab = (clientId: string) => RawClient.open(server, 'lab', { clientId });

it('a flood of retained messages fills the store to its bound and no further, and each is delivered', async () => {
  const witness = await lab('witness');
  await witness.subscribe('#');
  await witness.heard();
  const attacker = await lab('attacker');
  for (let count = 0; count < 4 * BOUND; count++) attacker.publish(`flood/${count}`, 'x', { retain: true });
  await attacker.settled();
  expect((await witness.heard()).filter((line) => line.startsWith('flood/'))).toHaveLength(4 * BOUND);
  const late = await lab('late');
  await late.subscribe('flood/#');
  expect(await late.heard()).toHaveLength(BOUND);
});

it('few large ones meet the bound on bytes', async () => {
  const attacker = await lab('attacker');
  for (let count = 0; count < 10; count++) attacker.publish(`flood/${count}`, 'x'.repeat(16_000), { retain: true });
  await attacker.settled();
  const late = await lab('late');
  await late.subscribe('flood/#');
  expect((await late.heard()).length).toBeLessThanOrEqual(4);
});

it('who asks for the whole store again and again without reading waits behind one copy, and a neighbour keeps its own', async () => {
  const owner = await lab('owner');
  for (let count = 0; count < BOUND; count++) owner.publish(`store/${count}`, 'x'.repeat(500), { retain: true });
  await owner.settled();
  const attacker = await lab('attacker');
  attacker.socket.pause();
  const subscription = { filter: '#', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  for (let round = 1; round <= 500; round++) {
    attacker.send({ type: 'subscribe', packetId: round, subscriptions: [subscription] });
  }
  const healthy = await lab('healthy');
  await healthy.subscribe('store/1');
  expect(await healthy.heard()).toHaveLength(1);
  const neighbour = await RawClient.open(server, 'other/desk');
  expect(await neighbour.settled()).toBe(true);
  attacker.socket.resume();
  attacker.send({ type: 'pingreq' });
  await attacker.take('pingresp');
  expect(attacker.closed).toBe(false);
});
