import { describe, expect, it } from 'vitest';
import { Crew, got, SharedStore, subscribed, until } from './crew.ts';
import { type Client, type ConnectOptions, settled } from './harness.ts';

const KEPT: ConnectOptions = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };

async function counts(clients: readonly Client[], total: number): Promise<number[]> {
  const found = clients.map(() => 0);
  await until(() => {
    for (const [index, client] of clients.entries()) found[index]! += client.messages().length;
    return found.reduce((sum, count) => sum + count) >= total;
  });
  await settled(20);
  for (const [index, client] of clients.entries()) found[index]! += client.messages().length;
  return found;
}

describe('a group over several workers', () => {
  it('gets each message once, each member in turn', async () => {
    const crew = await Crew.of(3);
    const members = await Promise.all([0, 1, 1, 2].map((worker, index) => crew.connect(worker, `member-${index}`)));
    for (const member of members) await subscribed(member, '$share/g/a/#', { qos: 1 });
    const sender = await crew.connect(1, 'sender');
    for (let index = 0; index < 40; index++) sender.publish('a/b', `m${index}`, { qos: 0 });
    expect(await counts(members, 40)).toEqual([10, 10, 10, 10]);
  });

  it('passes over members whose clients are away while others are there', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(2, () => ({ store: store.view() }));
    const away = await crew.connect(0, 'away', KEPT);
    await subscribed(away, '$share/g/a', { qos: 1 });
    const here = await crew.connect(1, 'here');
    await subscribed(here, '$share/g/a', { qos: 1 });
    await away.vanish();
    await settled(10);
    const sender = await crew.connect(1, 'sender');
    for (let index = 0; index < 6; index++) sender.publish('a', `m${index}`, { qos: 1, packetId: index + 1 });
    await until(() => sender.packets.length === 6);
    expect(here.messages()).toHaveLength(6);
    await here.vanish();
    await settled(10);
    sender.packets = [];
    sender.publish('a', 'waits', { qos: 1, packetId: 9 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
    const back = await crew.connect(1, 'away', KEPT);
    await got(back, 'a waits');
  });

  it('replaces a member that has gone while the message was on its way to it', async () => {
    const crew = await Crew.of(3);
    const going = await crew.connect(2, 'going');
    await subscribed(going, '$share/g/a', { qos: 1 });
    const staying = await crew.connect(0, 'staying');
    await subscribed(staying, '$share/g/a', { qos: 1 });
    const sender = await crew.connect(1, 'sender');
    for (let index = 0; index < 10; index++) sender.publish('a', `m${index}`, { qos: 1, packetId: index + 1 });
    going.send({ type: 'unsubscribe', packetId: 1, filters: ['$share/g/a'] });
    await until(() => sender.packets.length === 10);
    const answers = sender.packets.map((packet) => (packet.type === 'puback' ? packet.reasonCode : -1));
    expect(new Set(answers)).toEqual(new Set([0]));
    const [one, other] = await counts([going, staying], 10);
    expect(one! + other!).toBe(10);
    expect(other).toBeGreaterThan(5);
  });

  it('is what the instances of a scalable application are', async () => {
    const crew = await Crew.of(3);
    const instances = await Promise.all([0, 1, 2].map((worker) => crew.connect(worker, 'A:demo:app')));
    for (const instance of instances) await subscribed(instance, 'iot-2/type/+/id/+/evt/+/fmt/+');
    const device = await crew.connect(1, 'd:demo:t:d');
    for (let index = 0; index < 12; index++) device.publish('iot-2/evt/e/fmt/json', '{}');
    expect(await counts(instances, 12)).toEqual([4, 4, 4]);
  });
});

describe('what is retained in several workers', () => {
  it('is given to subscribers of each of them', async () => {
    const crew = await Crew.of(3);
    const sender = await crew.connect(1, 'sender');
    sender.publish('a/1', 'one', { retain: true });
    sender.publish('a/2', 'two', { retain: true, qos: 1 });
    await until(() => sender.packets.length === 1);
    for (const worker of [0, 1, 2]) {
      const late = await crew.connect(worker, `late-${worker}`);
      late.subscribe('a/+', { qos: 1 });
      await until(() => late.packets.length === 3);
      late.expect('suback');
      expect(late.packets).toMatchObject([
        { topic: 'a/1', retain: true },
        { topic: 'a/2', retain: true },
      ]);
    }
    sender.publish('a/1', '', { retain: true });
    await settled(20);
    const later = await crew.connect(2, 'later');
    await subscribed(later, 'a/+');
    await got(later, 'a/2 two');
  });

  it('is the same everywhere after all have written at once', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(3, () => ({ store: store.view() }));
    const senders = await Promise.all([0, 1, 2].map((worker) => crew.connect(worker, `sender-${worker}`)));
    for (let round = 0; round < 20; round++) {
      for (const [worker, sender] of senders.entries()) {
        sender.publish(`a/${round % 4}`, (round + worker) % 5 === 0 ? '' : `${round} of ${worker}`, { retain: true });
      }
      if (round % 3 === 0) await new Promise((next) => setImmediate(next));
    }
    await settled(50);
    const seen: string[][] = [];
    for (const worker of [0, 1, 2]) {
      const reader = await crew.connect(worker, `reader-${worker}`);
      await subscribed(reader, 'a/+');
      await settled(10);
      seen.push(reader.messages().toSorted());
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    const stored: string[] = [];
    await store.core.load({
      session() {},
      subscription() {},
      received() {},
      message() {},
      waiting() {},
      retained: (_, { topic, body }) => stored.push(`${topic} ${body.toString()}`),
    });
    expect(stored.toSorted()).toEqual(seen[0]);
  });

  it('is known to a worker that comes later, before it serves, and so is who has subscribed', async () => {
    const crew = await Crew.of(2);
    const sender = await crew.connect(1, 'sender');
    for (let index = 0; index < 50; index++) sender.publish(`a/${index}`, `m${index}`, { retain: true });
    sender.publish('$gone', 'x', { retain: true });
    sender.publish('$gone', '', { retain: true });
    const listener = await crew.connect(0, 'listener');
    await subscribed(listener, 'b');
    const stage = await crew.start(2);
    const late = await stage.connect('late');
    await subscribed(late, 'a/#');
    late.publish('b', 'hello');
    await got(listener, 'b hello');
    await until(() => late.packets.length === 50);
    expect(stage.counters.retainedNow).toBe(50);
  });
});

describe('rights and bounds over several workers', () => {
  it('end in all of them, and are waited for', async () => {
    const crew = await Crew.of(3);
    const clients = await Promise.all([0, 1, 2].map((worker) => crew.connect(worker, `c-${worker}`)));
    const other = await crew.connect(2, 'other', { username: 'demo/other' });
    for (const stage of crew.stages) {
      stage.standing = (principal) =>
        'id' in principal && principal.id === 'lab'
          ? { ended: 'principal_suspended', text: 'It is suspended.' }
          : 'stands';
    }
    await crew.office.broker.whole.reconsider({ principal: 'app:demo:lab' });
    await crew.office.broker.whole.reconsider({ organisation: 'demo' });
    await settled(5);
    expect(clients.map(({ ended }) => ended)).toEqual([true, true, true]);
    expect(other.ended).toBe(false);
  });

  it('show and close sessions wherever they are', async () => {
    const crew = await Crew.of(3);
    for (const [index, worker] of [2, 0, 1, 2].entries()) await crew.connect(worker, `c${index}`);
    const { whole } = crew.office.broker;
    const names = async (page: object) => (await whole.listSessions('demo', page)).map(({ clientId }) => clientId);
    expect(await names({ limit: 3 })).toEqual(['c0', 'c1', 'c2']);
    expect(await names({ after: 'c1' })).toEqual(['c2', 'c3']);
    expect(await whole.countSessions('demo')).toBe(4);
    expect(await whole.closeSessions({ organisation: 'demo', clientId: 'c3' }, 0x98, 'closed')).toBe(1);
    expect(await whole.closeSessions({ organisation: 'demo', clientId: 'c3' }, 0x98, 'closed')).toBe(0);
    expect(await whole.findSession('demo', 'c3')).toBeUndefined();
    expect(await whole.countSessions()).toBe(3);
  });

  it('count the sessions of a principal and the connections of an organisation together', async () => {
    const crew = await Crew.of(2, { limits: { principalSessions: 3, organisationConnections: 4 } });
    for (const [index, worker] of [0, 1, 1].entries()) await crew.connect(worker, `c${index}`);
    const fourth = crew.stages[0]!.dial();
    fourth.connect('c3');
    await until(() => fourth.packets.length === 1);
    expect(fourth.expect('connack').reasonCode).toBe(0x97);
    await crew.connect(0, 'o1', { username: 'demo/other' });
    const fifth = crew.stages[1]!.dial();
    fifth.connect('o2', { username: 'demo/other' });
    await until(() => fifth.packets.length === 1);
    expect(fifth.expect('connack').reasonCode).toBe(0x97);
    // One that is known already takes no place of its own.
    expect((await crew.connect(1, 'c0')).welcome.reasonCode).toBe(0);
  });

  it('share the rate of a principal by its sessions', async () => {
    const crew = await Crew.of(2, { limits: { messageRate: 100 } });
    const one = await crew.connect(0, 'c0');
    const two = await crew.connect(1, 'c1');
    await crew.office.pass(1);
    await settled(20);
    // Two seconds' worth of half the rate, in each.
    for (const client of [one, two]) for (let index = 0; index < 99; index++) client.publish('a', 'x');
    expect([one.paused, two.paused]).toEqual([false, false]);
    for (const client of [one, two]) for (let index = 0; index < 3; index++) client.publish('a', 'x');
    expect([one.paused, two.paused]).toEqual([true, true]);
  });

  it('bound the subscriptions of an organisation together', async () => {
    const crew = await Crew.of(2, { limits: { organisationSubscriptions: 3 } });
    const one = await crew.connect(0, 'one');
    const two = await crew.connect(1, 'two');
    await subscribed(one, 'a');
    await subscribed(one, 'b');
    const told = async (): Promise<void> => {
      for (const stage of crew.stages) await stage.pass(1);
      await settled(20);
    };
    await told();
    await subscribed(two, 'a');
    two.subscribe('b');
    await until(() => two.packets.length === 1);
    expect(two.expect('suback').reasonCodes).toEqual([0x97]);
    one.send({ type: 'unsubscribe', packetId: 1, filters: ['a', 'b'] });
    await told();
    two.subscribe('b');
    await until(() => two.packets.length === 1);
    expect(two.expect('suback').reasonCodes).toEqual([0]);
  });
});
