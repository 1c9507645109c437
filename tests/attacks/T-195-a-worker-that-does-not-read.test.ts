import { expect, it } from 'vitest';
import { Crew, got, SharedStore, subscribed, until } from '../../packages/server/test/broker/crew.ts';
import { settled } from '../../packages/server/test/broker/harness.ts';

it('a flood towards a worker that does not keep up is bounded, and slows down only those who send it', async () => {
  const crew = await Crew.of(3, {}, { congested: 100_000, unsent: 1_000_000 });
  const slow = await crew.connect(2, 'slow');
  await subscribed(slow, 'flood/#');
  const other = await crew.connect(0, 'other');
  await subscribed(other, 'calm');
  const attackers = await Promise.all([0, 1, 1].map((worker, index) => crew.connect(worker, `attacker-${index}`)));
  crew.exchanges[2]!.stalled = true;
  const payload = 'x'.repeat(5000);
  for (let round = 0; round < 100; round++) {
    for (const attacker of attackers) if (!attacker.paused) attacker.publish('flood/a', payload);
    await settled(1);
  }
  expect(attackers.map(({ paused }) => paused)).toEqual([true, true, true]);
  // Nobody was dropped: so little waits.
  expect(crew.lost).toEqual([]);
  const sender = await crew.connect(1, 'sender');
  sender.publish('calm', 'served', { qos: 1 });
  await until(() => sender.packets.length === 1);
  expect(sender.expect('puback').reasonCode).toBe(0);
  await got(other, 'calm served');
  crew.exchanges[2]!.recover();
  await until(() => attackers.every(({ paused }) => !paused));
});

it('a worker for which more waits than is borne is dropped like a dead one, and the others go on', async () => {
  const store = new SharedStore();
  const crew = await Crew.of(3, () => ({ store: store.view() }), { congested: 10_000_000, unsent: 500_000 });
  const stuck = await crew.connect(2, 'stuck', { cleanStart: false, properties: { sessionExpiryInterval: 1000 } });
  await subscribed(stuck, 'a', { qos: 1 });
  const sender = await crew.connect(1, 'sender');
  crew.exchanges[2]!.stalled = true;
  const payload = 'x'.repeat(50_000);
  for (let index = 1; index <= 30; index++) {
    sender.publish('a', payload, { qos: 1, packetId: index });
    await settled(1);
  }
  await until(() => crew.lost.includes('1 lost 2: It does not read: more than 500000 bytes wait for it.'));
  // None of the publishers is left without an answer.
  await until(() => sender.packets.length === 30);
  expect(new Set(sender.packets.map((packet) => (packet.type === 'puback' ? packet.reasonCode : -1)))).toEqual(
    new Set([0x80]),
  );
});
