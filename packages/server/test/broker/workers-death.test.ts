import { describe, expect, it } from 'vitest';
import { Crew, got, SharedStore, subscribed, until } from './crew.ts';
import { type ConnectOptions, settled } from './harness.ts';

const KEPT: ConnectOptions = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };

describe('the death of a worker', () => {
  it('is told to a publisher whose message it had not taken yet', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(3, () => ({ store: store.view() }));
    const listener = await crew.connect(2, 'listener', KEPT);
    await subscribed(listener, 'a', { qos: 1 });
    const five = await crew.connect(1, 'five');
    const four = crew.stages[1]!.dial(4);
    four.connect('four');
    await until(() => four.packets.length === 1);
    four.packets = [];
    crew.exchanges[2]!.stalled = true;
    five.publish('a', 'x', { qos: 1, packetId: 5 });
    five.publish('a', 'y', { qos: 2, packetId: 6 });
    four.publish('a', 'z', { qos: 1, packetId: 4 });
    await settled(30);
    expect([five.packets, four.packets, four.ended]).toEqual([[], [], false]);
    await crew.kill(2);
    await until(() => five.packets.length === 2 && four.ended);
    expect(five.expect('puback')).toMatchObject({ packetId: 5, reasonCode: 0x80 });
    expect(five.expect('pubrec')).toMatchObject({ packetId: 6, reasonCode: 0x80 });
    // Below MQTT 5 an acknowledgement cannot say no.
    expect(four.packets).toEqual([]);
  });

  it('leaves the others as they were', async () => {
    const crew = await Crew.of(3);
    const listener = await crew.connect(0, 'listener');
    await subscribed(listener, 'a');
    const sender = await crew.connect(1, 'sender');
    await crew.connect(2, 'other');
    await crew.kill(2);
    sender.publish('a', 'still', { qos: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
    await got(listener, 'a still');
    const newcomer = await crew.connect(1, 'newcomer');
    await subscribed(newcomer, 'b');
    expect(crew.lost.toSorted()).toEqual([
      '0 lost 2: Its process has ended.',
      '1 lost 2: Its process has ended.',
      '2 lost 0: killed',
      '2 lost 1: killed',
    ]);
  });

  it('loses no kept session, and no message that was acknowledged', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(3, () => ({ store: store.view() }));
    const listener = await crew.connect(2, 'listener', KEPT);
    await subscribed(listener, 'a', { qos: 1 });
    const sender = await crew.connect(1, 'sender');
    sender.publish('a', 'before', { qos: 1, packetId: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
    await crew.kill(2);
    // Nobody has its sessions: it is refused, and not lost.
    sender.publish('a', 'between', { qos: 1, packetId: 2 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0x80);
    const early = crew.stages[1]!.dial();
    early.connect('listener', KEPT);
    await settled(30);
    expect(early.packets).toEqual([]);
    await crew.adopt(2);
    await until(() => early.packets.length > 0);
    expect(early.expect('connack')).toMatchObject({ reasonCode: 0, sessionPresent: true });
    await got(early, 'a before');
    sender.publish('a', 'after', { qos: 1, packetId: 3 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
    await got(early, 'a after');
  });

  it('sends the wills of its clients, of kept sessions and of others', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(3, () => ({ store: store.view() }));
    const listener = await crew.connect(1, 'listener');
    await subscribed(listener, 'will/+');
    const will = (topic: string) => ({ topic, payload: Buffer.from('gone'), qos: 0, retain: false }) as const;
    await crew.connect(2, 'kept', { ...KEPT, will: will('will/kept') });
    await crew.connect(2, 'clean', { will: will('will/clean') });
    const polite = await crew.connect(2, 'polite', { will: will('will/polite') });
    polite.send({ type: 'disconnect', reasonCode: 0 });
    await settled(10);
    await crew.kill(2);
    await crew.adopt(2);
    const heard: string[] = [];
    await until(() => {
      heard.push(...listener.messages());
      return heard.length === 2;
    });
    await settled(20);
    expect([...heard, ...listener.messages()].toSorted()).toEqual(['will/clean gone', 'will/kept gone']);
  });

  it('is made good by another one with the same number', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(3, () => ({ store: store.view() }));
    const keeper = await crew.connect(2, 'keeper', KEPT);
    await subscribed(keeper, 'a', { qos: 1 });
    await crew.kill(2);
    await crew.adopt(2);
    await crew.start(2);
    const back = await crew.connect(2, 'keeper', KEPT);
    expect(back.welcome.sessionPresent).toBe(true);
    const sender = await crew.connect(1, 'sender');
    sender.publish('a', 'x', { qos: 1 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
    await got(back, 'a x');
  });

  it('is what a worker comes to that another one had to drop, as the two could not go on without each other', async () => {
    const crew = await Crew.of(3);
    crew.exchanges[1]!.drop(2, 'it spoke nonsense');
    await until(() => crew.lost.some((text) => text.startsWith('0 lost 2')));
    expect(crew.lost).toContain('0 lost 2: Worker 1 had to drop it: it spoke nonsense');
    // The other side of the way has only seen its end, and accuses nobody.
    await settled(20);
    expect(crew.lost.filter((text) => text.startsWith('0 lost'))).toHaveLength(1);
  });

  it('is not waited for by more than a moment: who sends to one that does not read is slowed down until then', async () => {
    const crew = await Crew.of(3, {}, { congested: 10_000, unsent: 200_000 });
    const listener = await crew.connect(2, 'listener');
    await subscribed(listener, 'a');
    const near = await crew.connect(0, 'near');
    await subscribed(near, 'a');
    const sender = await crew.connect(1, 'sender');
    crew.exchanges[2]!.stalled = true;
    const payload = 'x'.repeat(10_000);
    for (let index = 0; index < 40; index++) {
      sender.publish('a', payload);
      await settled(1);
    }
    await settled(50);
    // Slowed down, and not to be heard again before the peer reads or is gone.
    expect([sender.paused, crew.lost]).toEqual([true, []]);
    await crew.kill(2);
    await until(() => !sender.paused);
    sender.publish('a', 'again');
    await until(() => near.messages().includes('a again'));
  });
});

describe('a client of MQTT 3.1.1 that sends faster than other workers answer', () => {
  it('is read more slowly, and gets every answer', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(2, () => ({ store: store.view(), limits: { receiveMaximum: 10 } }));
    const listener = await crew.connect(0, 'listener', KEPT);
    await subscribed(listener, 'a', { qos: 1 });
    const sender = crew.stages[1]!.dial(4);
    sender.connect('sender');
    await until(() => sender.packets.length === 1);
    sender.packets = [];
    crew.exchanges[0]!.stalled = true;
    for (let index = 1; index <= 50; index++) sender.publish('a', `m${index}`, { qos: 1, packetId: index });
    await settled(20);
    expect(sender.paused).toBe(true);
    expect(crew.stages[1]!.counters.messagesReceived).toBeLessThan(20);
    crew.exchanges[0]!.recover();
    await until(() => sender.packets.length === 50);
    expect(sender.ended).toBe(false);
  });
});

describe('the store of several workers', () => {
  it('is waited for as long as a kept session listens there, and not where only sessions of the moment do', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(2, () => ({ store: store.view() }));
    const sender = await crew.connect(1, 'sender');
    const waits = async (packetId: number): Promise<boolean> => {
      crew.exchanges[0]!.stalled = true;
      sender.publish('a', 'x', { qos: 1, packetId });
      await settled(20);
      const waited = sender.packets.length === 0;
      crew.exchanges[0]!.recover();
      await until(() => sender.packets.length === 1);
      expect(sender.expect('puback')).toMatchObject({ packetId, reasonCode: 0 });
      return waited;
    };
    const momentary = await crew.connect(0, 'momentary');
    await subscribed(momentary, 'a', { qos: 1 });
    expect(await waits(1)).toBe(false);
    const kept = await crew.connect(0, 'kept', KEPT);
    await subscribed(kept, 'a', { qos: 1 });
    expect(await waits(2)).toBe(true);
    await momentary.vanish();
    expect(await waits(3)).toBe(true);
    await kept.vanish();
    expect(await waits(4)).toBe(true);
  });

  it('is waited for in the worker that needs it, before the publisher is answered', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(2, () => ({ store: store.view() }));
    const listener = await crew.connect(0, 'listener', KEPT);
    await subscribed(listener, 'a', { qos: 1 });
    await listener.vanish();
    const sender = await crew.connect(1, 'sender');
    store.core.hold();
    sender.publish('a', 'x', { qos: 1 });
    await settled(40);
    expect(sender.packets).toEqual([]);
    store.core.release();
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback').reasonCode).toBe(0);
  });

  it('refuses through all workers what it cannot take', async () => {
    const store = new SharedStore();
    const crew = await Crew.of(2, () => ({ store: store.view() }));
    const listener = await crew.connect(0, 'listener', KEPT);
    await subscribed(listener, 'a', { qos: 1 });
    await listener.vanish();
    const sender = await crew.connect(1, 'sender');
    store.core.hold();
    sender.publish('a', 'x', { qos: 1, packetId: 1 });
    await settled(20);
    store.core.fail(new Error('full'));
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback')).toMatchObject({ packetId: 1, reasonCode: 0x97 });
    sender.publish('a', 'x', { qos: 1, packetId: 2 });
    await until(() => sender.packets.length === 1);
    expect(sender.expect('puback')).toMatchObject({ packetId: 2, reasonCode: 0x97 });
  });
});
