import { describe, expect, it } from 'vitest';
import { type Client, Stage, settled } from './harness.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
const KEPT_BY_4 = { cleanStart: false, protocolVersion: 4 } as const;

describe('a session that is kept', () => {
  it.each([KEPT, KEPT_BY_4])('is present again with its subscriptions and what has waited', async (options) => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver', options);
    await receiver.subscribed('a', { qos: 1 });
    await receiver.vanish();
    const sender = await stage.connect('sender');
    sender.publish('a', 'unheard', { qos: 0 });
    sender.publish('a', 'first', { qos: 1 });
    sender.publish('a', 'second', { qos: 2, packetId: 2 });
    await settled();
    const again = await stage.connect('receiver', options);
    expect(again.welcome.sessionPresent).toBe(true);
    expect(again.messages()).toEqual(['a first', 'a second']);
  });

  it.each([4, 5] as const)('ends with a clean start at level %i', async (protocolVersion) => {
    const stage = new Stage();
    const first = await stage.connect('one', protocolVersion === 4 ? KEPT_BY_4 : KEPT);
    await first.subscribed('a', { qos: 1 });
    const second = await stage.connect('one', { cleanStart: true, protocolVersion });
    expect(second.welcome.sessionPresent).toBe(false);
    expect(stage.broker.findSession('demo', 'one')?.subscriptions).toEqual([]);
  });

  it('is not kept beyond its expiry', async () => {
    const stage = new Stage();
    await (await stage.connect('one', { properties: { sessionExpiryInterval: 10 } })).vanish();
    await stage.pass(9);
    expect(stage.broker.findSession('demo', 'one')).toMatchObject({ connected: false });
    await stage.pass(3);
    expect(stage.broker.findSession('demo', 'one')).toBeUndefined();
    expect(stage.counters.sessionsNow).toBe(0);
  });

  it('can be given another expiry at the end, but not life where there was none', async () => {
    const stage = new Stage();
    const first = await stage.connect('one', KEPT);
    first.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    await settled();
    expect(stage.broker.findSession('demo', 'one')).toBeUndefined();
    const second = await stage.connect('two');
    second.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 5 } });
    await settled();
    expect(second.expect('disconnect').reasonCode).toBe(0x82);
  });

  it('sends again with DUP, in order and under the same identifiers, what was not acknowledged', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver', KEPT);
    await receiver.subscribed('a', { qos: 2 });
    const sender = await stage.connect('sender');
    sender.publish('a', 'one', { qos: 1, packetId: 1 });
    sender.publish('a', 'two', { qos: 2, packetId: 2 });
    sender.publish('a', 'three', { qos: 2, packetId: 3 });
    await settled();
    const ids = receiver.packets.map((packet) => (packet as { packetId: number }).packetId);
    receiver.ack('pubrec', ids[1]!);
    await settled();
    await receiver.vanish();
    sender.publish('a', 'four', { qos: 1, packetId: 4 });
    await settled();
    const again = await stage.connect('receiver', KEPT);
    expect(again.packets).toMatchObject([
      { type: 'publish', packetId: ids[0], dup: true, qos: 1 },
      { type: 'publish', packetId: ids[2], dup: true, qos: 2 },
      { type: 'pubrel', packetId: ids[1] },
      { type: 'publish', dup: false, qos: 1 },
    ]);
  });

  it('delivers QoS 2 once, wherever the connection breaks', async () => {
    for (const breakAfter of ['publish', 'pubrec', 'pubrel', 'pubcomp']) {
      const stage = new Stage();
      let receiver = await stage.connect('receiver', KEPT);
      await receiver.subscribed('a', { qos: 2 });
      (await stage.connect('sender')).publish('a', 'once', { qos: 2 });
      await settled();
      const known = new Set<number>();
      let delivered = 0;
      let broken = false;
      for (let step = 0; step < 12; step++) {
        const packet = receiver.packets.shift();
        if (packet === undefined) break;
        if (packet.type !== 'publish' && packet.type !== 'pubrel') throw new Error(packet.type);
        const packetId = packet.packetId!;
        const breakHere = async (name: string): Promise<boolean> => {
          if (broken || name !== breakAfter) return false;
          broken = true;
          await receiver.vanish();
          receiver = await stage.connect('receiver', KEPT);
          return true;
        };
        if (packet.type === 'publish') {
          if (!known.has(packetId)) delivered++;
          known.add(packetId);
          if (await breakHere('publish')) continue;
          receiver.ack('pubrec', packetId);
          await settled();
          await breakHere('pubrec');
        } else {
          if (await breakHere('pubrel')) continue;
          known.delete(packetId);
          receiver.ack('pubcomp', packetId);
          await settled();
          await breakHere('pubcomp');
        }
      }
      expect([breakAfter, delivered, known.size, broken]).toEqual([breakAfter, 1, 0, true]);
      expect(stage.broker.findSession('demo', 'receiver')).toMatchObject({ inflight: 0, queued: 0 });
    }
  });
});

describe('flow to a client', () => {
  async function ackAll(client: Client, sizes: number[]): Promise<string[]> {
    const got: string[] = [];
    for (;;) {
      await settled();
      const packets = client.packets.splice(0);
      if (packets.length === 0) return got;
      sizes.push(packets.length);
      for (const packet of packets) {
        if (packet.type !== 'publish') continue;
        got.push(Buffer.from(packet.payload).toString());
        client.ack('puback', packet.packetId!);
      }
    }
  }

  it('never exceeds its receive maximum', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver', { properties: { receiveMaximum: 2 } });
    await receiver.subscribed('a', { qos: 1 });
    const sender = await stage.connect('sender');
    for (let index = 1; index <= 7; index++) sender.publish('a', String(index), { qos: 1, packetId: index });
    const sizes: number[] = [];
    expect(await ackAll(receiver, sizes)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(Math.max(...sizes)).toBe(2);
  });

  it('keeps to the receive maximum of the new connection for what is sent again', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver', KEPT);
    await receiver.subscribed('a', { qos: 1 });
    const sender = await stage.connect('sender');
    for (let index = 1; index <= 5; index++) sender.publish('a', String(index), { qos: 1, packetId: index });
    await settled();
    await receiver.vanish();
    const again = await stage.connect('receiver', {
      ...KEPT,
      properties: { ...KEPT.properties, receiveMaximum: 2 },
    });
    const sizes: number[] = [];
    expect(await ackAll(again, sizes)).toEqual(['1', '2', '3', '4', '5']);
    expect(Math.max(...sizes)).toBe(2);
  });

  it('leaves out what is larger than the client takes, and goes on', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver', { properties: { maximumPacketSize: 100 } });
    await receiver.subscribed('a', { qos: 1 });
    const sender = await stage.connect('sender');
    for (const [index, payload] of ['x'.repeat(200), 'small', 'x'.repeat(93), 'x'.repeat(92)].entries()) {
      sender.publish('a', payload, { qos: 1, packetId: index + 1 });
    }
    sender.publish('a', 'x'.repeat(200), { qos: 0 });
    await settled();
    expect(receiver.messages().map((text) => text.length)).toEqual([7, 94]);
    expect(stage.counters.droppedTooLarge).toBe(3);
  });

  it('drops the oldest of a full queue', async () => {
    const stage = new Stage({ limits: { queueMessages: 3 } });
    const receiver = await stage.connect('receiver', KEPT);
    await receiver.subscribed('a', { qos: 1 });
    await receiver.vanish();
    const sender = await stage.connect('sender');
    for (let index = 1; index <= 5; index++) sender.publish('a', String(index), { qos: 1, packetId: index });
    await settled();
    expect(stage.counters).toMatchObject({ droppedQueueFull: 2, queuedNow: 3 });
    expect(stage.of('message.dropped')).toMatchObject([{ clientId: 'receiver', cause: 'queue_full' }]);
    const again = await stage.connect('receiver', KEPT);
    expect(again.messages()).toEqual(['a 3', 'a 4', 'a 5']);
    expect(stage.counters.queuedNow).toBe(0);
  });

  it('bounds the bytes of a queue too', async () => {
    const stage = new Stage({ limits: { queueBytes: 3000 } });
    const receiver = await stage.connect('receiver', KEPT);
    await receiver.subscribed('a', { qos: 1 });
    await receiver.vanish();
    const sender = await stage.connect('sender');
    for (let index = 1; index <= 5; index++) sender.publish('a', 'x'.repeat(1000), { qos: 1, packetId: index });
    sender.publish('a', 'x'.repeat(4000), { qos: 1, packetId: 6 });
    await settled();
    expect(stage.broker.findSession('demo', 'receiver')?.queued).toBe(2);
  });

  it('ignores an acknowledgement of nothing, and ends on one of the wrong kind', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.ack('puback', 99);
    client.ack('pubcomp', 99);
    await client.subscribed('a', { qos: 2 });
    client.publish('a', '', { qos: 2, packetId: 1 });
    await settled();
    client.expect('publish');
    client.expect('pubrec');
    client.ack('puback', 1);
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(0x82);
  });

  it('frees a QoS 2 message that the client refuses', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('a', { qos: 2 });
    client.publish('a', '', { qos: 2, packetId: 1 });
    await settled();
    client.ack('pubrec', client.expect('publish').packetId!, 0x80);
    await settled();
    expect(stage.broker.findSession('demo', 'one')?.inflight).toBe(0);
  });
});

describe('a client that does not read', () => {
  it('loses QoS 0 first, keeps QoS 1 in order, and gets on when it reads again', async () => {
    const stage = new Stage({ limits: { outgoingBytes: 2000 } });
    const slow = await stage.connect('slow');
    await slow.subscribed('a', { qos: 1 });
    const sender = await stage.connect('sender');
    slow.stalled = true;
    sender.publish('a', 'x'.repeat(3000));
    await settled();
    for (let index = 1; index <= 5; index++) {
      sender.publish('a', `zero ${index}`);
      sender.publish('a', `one ${index}`, { qos: 1, packetId: index });
      await settled();
    }
    expect(stage.counters.droppedSlowPeer).toBe(5);
    expect(stage.of('message.dropped')).toMatchObject([{ cause: 'slow_peer', clientId: 'slow' }]);
    await slow.recover();
    expect(slow.messages().slice(1)).toEqual(['a one 1', 'a one 2', 'a one 3', 'a one 4', 'a one 5']);
  });

  it('is cut when even its acknowledgements have no place any more, and others do not notice', async () => {
    const stage = new Stage({ limits: { outgoingBytes: 100, outgoingBytesHard: 1000 } });
    const slow = await stage.connect('slow');
    const healthy = await stage.connect('healthy');
    slow.stalled = true;
    for (let index = 0; index < 600; index++) slow.send({ type: 'pingreq' });
    await settled();
    for (let index = 0; index < 600; index++) slow.send({ type: 'pingreq' });
    await settled();
    expect(slow.ended).toBe(true);
    expect(stage.broker.countSessions()).toBe(1);
    await stage.pass(6);
    expect(stage.counters.connectionsNow).toBe(1);
    healthy.send({ type: 'pingreq' });
    await settled();
    healthy.expect('pingresp');
  });

  it('gets all retained messages of a new subscription, at its own pace', async () => {
    const stage = new Stage({ limits: { outgoingBytes: 2000 } });
    const client = await stage.connect('one');
    for (let index = 0; index < 100; index++) client.publish(`t/${index}`, 'x'.repeat(100), { retain: true });
    client.stalled = true;
    client.send({ type: 'pingreq' });
    await settled();
    client.subscribe('t/#');
    await settled();
    client.publish('t/99', 'newer', { retain: true });
    await client.recover();
    for (let round = 0; round < 20; round++) await client.recover();
    const got = client.messages();
    expect(new Set(got.map((text) => text.split(' ')[0])).size).toBe(99);
  });
});

describe('lists of sessions', () => {
  it('page through an organisation by client id', async () => {
    const stage = new Stage();
    for (const name of ['c', 'a', 'b']) await stage.connect(name);
    await stage.connect('z', { username: 'other/lab' });
    expect(stage.broker.listSessions('demo', { limit: 2 }).map(({ clientId }) => clientId)).toEqual(['a', 'b']);
    expect(stage.broker.listSessions('demo', { after: 'b' }).map(({ clientId }) => clientId)).toEqual(['c']);
    expect([stage.broker.countSessions('demo'), stage.broker.countSessions()]).toEqual([3, 4]);
    expect(stage.broker.listSessions('nowhere')).toEqual([]);
  });
});
