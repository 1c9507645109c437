import { describe, expect, it } from 'vitest';
import { Crew, got, SharedStore, subscribed, until } from './crew.ts';
import { type ConnectOptions, settled } from './harness.ts';

const KEPT: ConnectOptions = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };

async function crewWithStore(count: number): Promise<{ crew: Crew; store: SharedStore }> {
  const store = new SharedStore();
  return { crew: await Crew.of(count, () => ({ store: store.view() })), store };
}

describe('a client that comes to another worker', () => {
  it('ends its older connection there', async () => {
    const crew = await Crew.of(3);
    const older = await crew.connect(1, 'client');
    const newer = await crew.connect(2, 'client');
    expect(newer.welcome).toMatchObject({ reasonCode: 0, sessionPresent: false });
    await until(() => older.ended);
    expect(older.expect('disconnect').reasonCode).toBe(0x8e);
    expect(crew.stages[1]!.broker.countSessions()).toBe(0);
    expect(await crew.office.broker.whole.countSessions()).toBe(1);
    expect(await crew.office.broker.whole.findSession('demo', 'client')).toMatchObject({ connected: true });
  });

  it('finds its session with subscriptions and all that waits', async () => {
    const { crew } = await crewWithStore(3);
    const sender = await crew.connect(0, 'sender');
    const before = await crew.connect(1, 'client', KEPT);
    await subscribed(before, 'a/#', { qos: 1 });
    await before.vanish();
    for (let index = 0; index < 5; index++) sender.publish('a/b', `m${index}`, { qos: 1, packetId: index + 1 });
    await until(() => sender.packets.length === 5);
    const after = await crew.connect(2, 'client', KEPT);
    expect(after.welcome.sessionPresent).toBe(true);
    await got(after, 'a/b m0', 'a/b m1', 'a/b m2', 'a/b m3', 'a/b m4');
    sender.publish('a/b', 'live', { qos: 1, packetId: 9 });
    await got(after, 'a/b live');
    expect(crew.stages[1]!.broker.findSession('demo', 'client')).toBeUndefined();
    expect(crew.stages[1]!.counters).toMatchObject({ sessionsNow: 0, queuedNow: 0, subscriptionsNow: 0 });
    expect(crew.stages[2]!.counters).toMatchObject({ sessionsNow: 1, queuedNow: 0, subscriptionsNow: 1 });
  });

  it('gets what it has not acknowledged again, with DUP, and goes on where QoS 2 was', async () => {
    const { crew } = await crewWithStore(2);
    const sender = await crew.connect(0, 'sender');
    const before = await crew.connect(0, 'client', KEPT);
    await subscribed(before, 'a', { qos: 2 });
    sender.publish('a', 'one', { qos: 1, packetId: 1 });
    sender.publish('a', 'two', { qos: 2, packetId: 2 });
    sender.publish('a', 'released', { qos: 2, packetId: 3 });
    await until(() => before.packets.length === 3);
    const [one, two, released] = before.packets.map((packet) => (packet.type === 'publish' ? packet.packetId! : 0));
    before.packets = [];
    before.ack('pubrec', released!);
    await until(() => before.packets.length === 1);
    expect(before.expect('pubrel').packetId).toBe(released);
    before.publish('b', 'mine', { qos: 2, packetId: 77 });
    await until(() => before.packets.length === 1);
    expect(before.expect('pubrec').packetId).toBe(77);

    const after = await crew.connect(1, 'client', KEPT);
    expect(after.welcome.sessionPresent).toBe(true);
    await until(() => after.packets.length === 3);
    expect(after.packets).toMatchObject([
      { type: 'publish', packetId: one, dup: true, qos: 1 },
      { type: 'publish', packetId: two, dup: true, qos: 2 },
      { type: 'pubrel', packetId: released },
    ]);
    after.packets = [];
    const listener = await crew.connect(0, 'listener');
    await subscribed(listener, 'b');
    // Sent again, as no PUBCOMP came: it was delivered the first time.
    after.publish('b', 'mine', { qos: 2, packetId: 77, dup: true });
    await until(() => after.packets.length === 1);
    expect(after.expect('pubrec')).toMatchObject({ packetId: 77, reasonCode: 0 });
    after.ack('pubrel', 77);
    await until(() => after.packets.length === 1);
    expect(after.expect('pubcomp')).toMatchObject({ packetId: 77, reasonCode: 0 });
    await settled(20);
    expect(listener.messages()).toEqual([]);
  });

  it('loses nothing and gets nothing twice while it moves to and fro under load', async () => {
    const { crew } = await crewWithStore(3);
    const senders = await Promise.all([0, 1, 2].map((worker) => crew.connect(worker, `sender-${worker}`)));
    let client = await crew.connect(0, 'client', KEPT);
    await subscribed(client, 'a/#', { qos: 2 });
    const sent: string[] = [];
    const received: string[] = [];
    let running = true;
    const pump = (async () => {
      for (let index = 0; running; index++) {
        for (const [worker, sender] of senders.entries()) {
          sender.packets = [];
          sent.push(`${worker}-${index}`);
          sender.publish('a/b', `${worker}-${index}`, { qos: 1, packetId: (index % 60_000) + 1 });
        }
        await new Promise((next) => setImmediate(next));
      }
    })();
    const drain = (): void => {
      for (const packet of client.packets.splice(0)) {
        if (packet.type !== 'publish') continue;
        // QoS 1: what is acknowledged here and not before the move comes again with DUP.
        if (!received.includes(String(packet.payload))) received.push(String(packet.payload));
        else expect(packet.dup).toBe(true);
        client.ack('puback', packet.packetId!);
      }
    };
    for (let round = 1; round <= 9; round++) {
      for (let turn = 0; turn < 5; turn++) {
        await settled(2);
        drain();
      }
      const last = client;
      client = await crew.connect(round % 3, 'client', KEPT);
      expect(client.welcome.sessionPresent).toBe(true);
      last.packets = [];
    }
    running = false;
    await pump;
    await until(() => {
      drain();
      return received.length >= sent.length;
    });
    expect([...received].sort()).toEqual([...sent].sort());
    for (const worker of [0, 1, 2]) {
      const own = (list: string[]) => list.filter((text) => text.startsWith(`${worker}-`));
      expect(own(received)).toEqual(own(sent));
    }
  });

  it('begins anew where it asks to, and what waited is forgotten in all workers', async () => {
    const { crew, store } = await crewWithStore(2);
    const before = await crew.connect(0, 'client', KEPT);
    await subscribed(before, 'a', { qos: 1 });
    await before.vanish();
    const after = await crew.connect(1, 'client');
    expect(after.welcome.sessionPresent).toBe(false);
    const sender = await crew.connect(0, 'sender');
    sender.publish('a', 'x', { qos: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0x10);
    const found: string[] = [];
    await store.core.load({
      session: ({ clientId }) => found.push(clientId),
      subscription: (_, { filter }) => found.push(filter),
      received() {},
      message: (_, { topic }) => found.push(topic),
      waiting() {},
      retained() {},
    });
    expect(found).toEqual([]);
  });

  it('is refused where the client id belongs to somebody else', async () => {
    const crew = await Crew.of(2);
    await crew.connect(0, 'client');
    const other = crew.stages[1]!.dial();
    other.connect('client', { username: 'demo/other' });
    await until(() => other.packets.length === 1);
    expect(other.expect('connack').reasonCode).toBe(0x85);
    expect(crew.stages[0]!.broker.countSessions()).toBe(1);
  });

  it('comes one after the other when many come at once', async () => {
    const { crew } = await crewWithStore(3);
    const clients = [0, 1, 2, 0, 1, 2].map((worker) => {
      const client = crew.stages[worker]!.dial();
      client.connect('client', KEPT);
      return client;
    });
    await until(() => clients.filter(({ ended }) => ended).length === 5);
    await settled(50);
    expect(clients.filter(({ ended }) => !ended)).toHaveLength(1);
    expect(await crew.office.broker.whole.countSessions()).toBe(1);
    const all = crew.stages.map(({ broker }) => broker.listSessions('demo').length);
    expect(all.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('has no session any more if its right to it ended while it moved', async () => {
    const { crew } = await crewWithStore(3);
    const before = await crew.connect(1, 'client', KEPT);
    await subscribed(before, 'a', { qos: 1 });
    await before.vanish();
    const client = crew.stages[2]!.dial();
    client.connect('client', KEPT);
    await settled(1);
    // Nobody has it while the office is silent; its client does not wait for it.
    crew.exchanges[0]!.stalled = true;
    await settled(20);
    await client.vanish();
    crew.stages[2]!.standing = () => ({ ended: 'principal_suspended', text: 'It is suspended.' });
    crew.exchanges[0]!.recover();
    await settled(40);
    expect(await crew.office.broker.whole.listSessions('demo')).toEqual([]);
  });

  it('stays where it was if the worker it comes to dies in the midst', async () => {
    const { crew } = await crewWithStore(3);
    const before = await crew.connect(1, 'client', KEPT);
    await subscribed(before, 'a', { qos: 1 });
    await before.vanish();
    // The office is asked to write down the move, and hears nothing of it before the end.
    const office = crew.exchanges[0]!;
    const client = crew.stages[2]!.dial();
    client.connect('client', KEPT);
    await settled(1);
    office.stalled = true;
    await settled(30);
    await crew.kill(2);
    office.recover();
    await settled(30);
    await crew.adopt(2);
    const sender = await crew.connect(0, 'sender');
    sender.publish('a', 'x', { qos: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
    const after = await crew.connect(0, 'client', KEPT);
    expect(after.welcome.sessionPresent).toBe(true);
    await got(after, 'a x');
  });
});
