import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from '../../src/broker/memory-session-store.ts';
import { type Client, Stage, settled } from './harness.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

/** A broker on a store, and the next process on the same store. */
async function stageOn(
  store: MemorySessionStore,
  options: ConstructorParameters<typeof Stage>[0] = {},
): Promise<Stage> {
  const stage = new Stage({ ...options, store });
  await stage.restore();
  return stage;
}

async function restarted(store: MemorySessionStore): Promise<Stage> {
  store.crash();
  return stageOn(store);
}

async function receiver(stage: Stage, qos: 0 | 1 | 2 = 2): Promise<Client> {
  const client = await stage.connect('receiver', KEPT);
  await client.subscribed('a', { qos });
  return client;
}

describe('an acknowledgement', () => {
  it.each([1, 2] as const)('of QoS %i leaves when the store has the message, not before', async (qos) => {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    await (await receiver(stage)).vanish();
    const sender = await stage.connect('sender');
    store.hold();
    sender.publish('a', 'one', { qos });
    await settled();
    expect(sender.packets).toEqual([]);
    store.release();
    await settled();
    expect(sender.packets).toMatchObject([{ type: qos === 1 ? 'puback' : 'pubrec', packetId: 1, reasonCode: 0 }]);
  });

  it('leaves at once where nothing is to be kept', async () => {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    const live = await stage.connect('live');
    await live.subscribed('a', { qos: 1 });
    const sender = await stage.connect('sender');
    store.hold();
    sender.publish('a', 'one', { qos: 1 });
    await settled();
    expect(sender.expect('puback').packetId).toBe(1);
    expect(live.messages()).toEqual(['a one']);
  });

  it('keeps its turn behind one that waits', async () => {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    await (await receiver(stage)).vanish();
    const sender = await stage.connect('sender');
    store.hold();
    sender.publish('a', 'kept', { qos: 1, packetId: 1 });
    sender.publish('b', 'not kept', { qos: 1, packetId: 2 });
    await settled();
    expect(sender.packets).toEqual([]);
    store.release();
    await settled();
    expect(sender.packets).toMatchObject([{ packetId: 1 }, { packetId: 2 }]);
  });

  it('of a retained message waits too', async () => {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    const sender = await stage.connect('sender');
    store.hold();
    sender.publish('a', 'one', { qos: 1, retain: true });
    await settled();
    expect(sender.packets).toEqual([]);
    store.release();
    await settled();
    expect(sender.expect('puback').reasonCode).toBe(0x10);
  });

  it('of a session and its subscriptions waits for them', async () => {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    store.hold();
    const client = stage.dial();
    client.connect('kept', KEPT);
    client.subscribe('a', { qos: 1 });
    await settled();
    expect(client.packets).toEqual([]);
    store.release();
    await settled();
    expect(client.packets).toMatchObject([
      { type: 'connack', reasonCode: 0 },
      { type: 'suback', reasonCodes: [1] },
    ]);
  });
});

describe('after the end of a process', () => {
  it('sessions, subscriptions, what waited and what was retained are there', async () => {
    const store = new MemorySessionStore();
    const before = await stageOn(store);
    await (await receiver(before)).vanish();
    const sender = await before.connect('sender');
    sender.publish('a', 'one', { qos: 1, packetId: 1 });
    sender.publish('a', 'two', { qos: 2, packetId: 2 });
    sender.publish('a', 'kept', { qos: 1, packetId: 3, retain: true });
    await settled();
    const after = await restarted(store);
    expect(after.counters).toMatchObject({ sessionsNow: 1, subscriptionsNow: 1, queuedNow: 3, retainedNow: 1 });
    const again = await after.connect('receiver', KEPT);
    expect(again.welcome.sessionPresent).toBe(true);
    expect(again.messages()).toEqual(['a one', 'a two', 'a kept']);
    const other = await after.connect('sender');
    other.publish('a', 'new', { qos: 1 });
    await settled();
    expect(again.messages()).toEqual(['a new']);
    other.packets = [];
    await other.subscribed('a');
    expect(other.messages()).toEqual(['a kept']);
  });

  it('what was on its way is sent again with DUP and its packet identifier', async () => {
    const store = new MemorySessionStore();
    const before = await stageOn(store);
    const client = await receiver(before);
    const sender = await before.connect('sender');
    for (const [packetId, payload] of [
      [1, 'one'],
      [2, 'two'],
      [3, 'three'],
    ] as const) {
      sender.publish('a', payload, { qos: packetId === 1 ? 1 : 2, packetId });
    }
    await settled();
    const ids = client.packets.map((packet) => (packet as { packetId: number }).packetId);
    client.ack('pubrec', ids[1]!);
    await settled();
    const after = await restarted(store);
    const again = await after.connect('receiver', KEPT);
    expect(again.packets).toMatchObject([
      { type: 'publish', packetId: ids[0], dup: true, qos: 1 },
      { type: 'publish', packetId: ids[2], dup: true, qos: 2 },
      { type: 'pubrel', packetId: ids[1] },
    ]);
  });

  it('a QoS 2 message that comes again is not delivered again', async () => {
    const store = new MemorySessionStore();
    const before = await stageOn(store);
    const sender = await before.connect('sender', KEPT);
    await (await receiver(before)).vanish();
    sender.publish('a', 'once', { qos: 2, packetId: 9 });
    await settled();
    const after = await restarted(store);
    const again = await after.connect('sender', KEPT);
    again.publish('a', 'once', { qos: 2, packetId: 9, dup: true });
    again.ack('pubrel', 9);
    await settled();
    expect(again.packets).toMatchObject([{ type: 'pubrec' }, { type: 'pubcomp', reasonCode: 0 }]);
    expect((await after.connect('receiver', KEPT)).messages()).toEqual(['a once']);
    const last = await restarted(store);
    expect(last.counters.queuedNow).toBe(0);
  });

  it('nothing is left in the store of what was delivered, dropped, or belonged to a session that ended', async () => {
    const store = new MemorySessionStore();
    const before = await stageOn(store, { limits: { queueMessages: 2 } });
    await (await receiver(before, 1)).vanish();
    const sender = await before.connect('sender');
    for (const packetId of [1, 2, 3]) sender.publish('a', `${packetId}`, { qos: 1, packetId });
    await settled();
    const client = await before.connect('receiver', KEPT);
    for (const packet of client.packets) client.ack('puback', (packet as { packetId: number }).packetId);
    await settled();
    expect(await rows(store)).toEqual({ sessions: 1, subscriptions: 1, messages: 0, waiting: 0, received: 0 });
    await before.connect('receiver', { cleanStart: true });
    expect(await rows(store)).toEqual({ sessions: 0, subscriptions: 0, messages: 0, waiting: 0, received: 0 });
  });

  it('a message for many is stored once and goes with the last of them', async () => {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    for (const name of ['one', 'two']) {
      const client = await stage.connect(name, KEPT);
      await client.subscribed('a', { qos: 1 });
      await client.vanish();
    }
    const sender = await stage.connect('sender');
    sender.publish('a', 'x', { qos: 1 });
    await settled();
    expect(await rows(store)).toMatchObject({ messages: 1, waiting: 2 });
    const one = await stage.connect('one', KEPT);
    one.ack('puback', (one.packets[0] as { packetId: number }).packetId);
    await settled();
    expect(await rows(store)).toMatchObject({ messages: 1, waiting: 1 });
    await stage.connect('two', { cleanStart: true });
    expect(await rows(store)).toMatchObject({ messages: 0, waiting: 0 });
  });

  it('a session expires when it would have, and one whose principal has gone is not there', async () => {
    const store = new MemorySessionStore();
    const before = await stageOn(store);
    await (await receiver(before)).vanish();
    store.crash();
    const late = new Stage({ store });
    late.time += 700_000;
    await late.restore();
    expect(late.broker.findSession('demo', 'receiver')).toBeUndefined();

    await (await receiver(late)).vanish();
    store.crash();
    const strict = new Stage({ store });
    strict.time = late.time;
    strict.standing = () => ({ ended: 'credential_revoked', text: 'revoked' });
    await strict.restore();
    expect(strict.broker.findSession('demo', 'receiver')).toBeUndefined();
    expect(await rows(store)).toMatchObject({ sessions: 0 });
  });

  it('the will of who was connected is sent after its delay, and to those who are away', async () => {
    const store = new MemorySessionStore();
    const before = await stageOn(store);
    await (await receiver(before)).vanish();
    const will = { topic: 'a', payload: Buffer.from('gone'), qos: 1, retain: false } as const;
    await before.connect('doomed', { ...KEPT, will: { ...will, properties: { willDelayInterval: 5 } } });
    const after = await restarted(store);
    const client = await after.connect('receiver', KEPT);
    expect(client.messages()).toEqual([]);
    await after.pass(6);
    expect(client.messages()).toEqual(['a gone']);
    const last = await restarted(store);
    await last.pass(6);
    expect((await last.connect('receiver', KEPT)).messages()).toEqual(['a gone']);
  });
});

describe('QoS 2 is not said before it is kept', () => {
  it('neither the message to the receiver nor the release', async () => {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    const client = await receiver(stage);
    const sender = await stage.connect('sender', KEPT);
    store.hold();
    sender.publish('a', 'one', { qos: 2, packetId: 1 });
    await settled();
    expect([...client.packets, ...sender.packets]).toEqual([]);
    store.release();
    await settled();
    const { packetId = 0, dup } = client.expect('publish');
    expect(dup).toBe(false);
    sender.expect('pubrec');
    store.hold();
    client.ack('pubrec', packetId);
    sender.ack('pubrel', 1);
    await settled();
    expect([...client.packets, ...sender.packets]).toEqual([]);
    store.release();
    await settled();
    client.expect('pubrel');
    sender.expect('pubcomp');
  });
});

describe('while the store fails', () => {
  async function failing(): Promise<{ store: MemorySessionStore; stage: Stage; sender: Client; old: Client }> {
    const store = new MemorySessionStore();
    const stage = await stageOn(store);
    await (await receiver(stage)).vanish();
    const sender = await stage.connect('sender');
    const old = await stage.connect('old', { protocolVersion: 4 });
    sender.publish('a', 'before', { qos: 1 });
    await settled();
    sender.expect('puback');
    return { store, stage, sender, old };
  }

  it('what is under way and what comes is refused: 0x97, or the end of the connection', async () => {
    const { store, stage, sender, old } = await failing();
    store.hold();
    sender.publish('a', 'one', { qos: 1, packetId: 1 });
    sender.publish('a', 'two', { qos: 2, packetId: 2 });
    await settled();
    store.fail(new Error('disk full'));
    await settled();
    expect(sender.packets).toMatchObject([
      { type: 'puback', packetId: 1, reasonCode: 0x97 },
      { type: 'pubrec', packetId: 2, reasonCode: 0x97 },
    ]);
    sender.packets = [];
    sender.publish('a', 'three', { qos: 1, packetId: 3 });
    sender.publish('b', 'kept', { qos: 1, packetId: 4, retain: true });
    sender.publish('b', 'not kept', { qos: 1, packetId: 5 });
    await settled();
    expect(sender.packets).toMatchObject([
      { packetId: 3, reasonCode: 0x97 },
      { packetId: 4, reasonCode: 0x97 },
      { packetId: 5, reasonCode: 0x10 },
    ]);
    old.publish('a', 'old', { qos: 1 });
    await settled();
    expect(old.ended).toBe(true);
    expect(stage.of('store.failing')).toMatchObject([{ store: 'sessions', problem: 'disk full' }]);
  });

  it('sessions that are kept come back and read; new ones are refused', async () => {
    const { store, stage } = await failing();
    store.fail(new Error('disk full'));
    const again = await stage.connect('receiver', KEPT);
    expect(again.messages()).toEqual(['a before']);
    expect((await stage.connect('new', KEPT)).welcome.reasonCode).toBe(0x97);
    expect((await stage.connect('passing')).welcome.reasonCode).toBe(0);
    again.subscribe('b', { qos: 1 });
    await settled();
    expect(again.expect('suback').reasonCodes).toEqual([0x97]);
  });

  it('everything goes on when there is room again, and the disk is what memory is', async () => {
    const { store, stage, sender } = await failing();
    sender.publish('b', 'old', { qos: 1, retain: true });
    await settled();
    store.fail(new Error('disk full'));
    sender.publish('b', 'new', { qos: 0, retain: true });
    await stage.connect('receiver', KEPT);
    await settled();
    store.recover();
    expect(stage.of('store.recovered')).toHaveLength(1);
    sender.packets = [];
    sender.publish('a', 'after', { qos: 1 });
    await settled();
    expect(sender.expect('puback').reasonCode).toBe(0);
    const after = await restarted(store);
    const reader = await after.connect('reader');
    await reader.subscribed('b');
    expect(reader.messages()).toEqual(['b new']);
    expect((await after.connect('receiver', KEPT)).messages()).toEqual(['a before', 'a after']);
  });
});

async function rows(store: MemorySessionStore) {
  const found = { sessions: 0, subscriptions: 0, messages: 0, waiting: 0, received: 0 };
  await store.load({
    session: () => void found.sessions++,
    subscription: () => void found.subscriptions++,
    message: () => void found.messages++,
    waiting: () => void found.waiting++,
    received: () => void found.received++,
    retained() {},
  });
  return found;
}
