import { describe, expect, it } from 'vitest';
import { Allowance, Turnstile } from '../../src/broker/allowance.ts';
import { limitKey } from '../../src/broker/limit-keys.ts';
import type { BrokerLimits } from '../../src/broker/limits.ts';
import { type Client, Stage, settled } from './harness.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

async function limited(limits: Partial<BrokerLimits>) {
  const stage = new Stage({ limits });
  const witness = await stage.connect('witness', { username: 'demo/witness' });
  await witness.subscribed('#');
  return { stage, witness };
}

function flood(client: Client, count: number, topic = 'a'): void {
  for (let index = 0; index < count; index++) client.publish(topic, String(index));
}

describe('rates', () => {
  it('let a burst pass, then read the connection more slowly, lose nothing and slow down nobody else', async () => {
    const { stage, witness } = await limited({ messageRate: 10 });
    const sender = await stage.connect('sender', { username: 'demo/sender' });
    const other = await stage.connect('other', { username: 'demo/other' });
    flood(sender, 60);
    await settled();
    expect(witness.messages()).toHaveLength(21);
    expect([sender.paused, other.paused]).toEqual([true, false]);
    flood(other, 5, 'b');
    await settled();
    expect(witness.messages()).toHaveLength(5);
    const counts: number[] = [];
    for (let second = 0; second < 8; second++) {
      await stage.pass(1);
      counts.push(witness.messages().length);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(39);
    expect(Math.max(...counts)).toBeLessThanOrEqual(20);
    expect(sender.ended).toBe(false);
    await stage.pass(10);
    expect(sender.paused).toBe(false);
    flood(sender, 1);
    await settled();
    expect(witness.messages()).toHaveLength(1);
  });

  it('count the bytes too, those of all packets', async () => {
    const { stage } = await limited({ byteRate: 1000 });
    const sender = await stage.connect('sender', { username: 'demo/sender' });
    sender.publish('a', 'x'.repeat(1900));
    expect(sender.paused).toBe(false);
    sender.publish('a', 'x'.repeat(1900));
    expect(sender.paused).toBe(true);
    await stage.pass(3);
    expect(sender.paused).toBe(false);
  });

  it('hold for all connections of a principal together', async () => {
    const { stage, witness } = await limited({ messageRate: 10 });
    const senders = await Promise.all(['one', 'two'].map((id) => stage.connect(id, { username: 'demo/sender' })));
    for (const sender of senders) flood(sender, 30);
    await settled();
    expect(witness.messages().length).toBeLessThanOrEqual(23);
    expect(senders.map(({ paused }) => paused)).toEqual([true, true]);
  });

  it('are not given anew to who connects again', async () => {
    const { stage, witness } = await limited({ messageRate: 10 });
    for (let turn = 0; turn < 5; turn++) {
      const sender = await stage.connect('sender', { username: 'demo/sender' });
      flood(sender, 30);
      await sender.vanish();
    }
    expect(witness.messages().length).toBeLessThanOrEqual(26);
  });

  it('hold for an organisation together and for no other organisation', async () => {
    const { stage } = await limited({ organisationMessageRate: 10 });
    const sender = await stage.connect('sender', { username: 'demo/sender' });
    flood(sender, 60);
    const neighbour = await stage.connect('sender', { username: 'other/sender' });
    flood(neighbour, 15);
    expect([sender.paused, neighbour.paused]).toEqual([true, false]);
  });

  it('count subscriptions and pings, and no acknowledgement', async () => {
    const { stage } = await limited({ messageRate: 10 });
    const pinging = await stage.connect('pinging', { username: 'demo/pinging' });
    for (let index = 0; index < 30; index++) pinging.send({ type: 'pingreq' });
    const subscribing = await stage.connect('subscribing', { username: 'demo/subscribing' });
    for (let index = 0; index < 30; index++) subscribing.subscribe('a');
    const answering = await stage.connect('answering', { username: 'demo/answering' });
    for (let index = 1; index < 30; index++) answering.ack('pubrel', index);
    expect([pinging.paused, subscribing.paused, answering.paused]).toEqual([true, true, false]);
  });

  it('are explained once, with the bound and the key that sets it', async () => {
    const { stage } = await limited({ messageRate: 10 });
    const sender = await stage.connect('d:demo:pump:1');
    for (let turn = 0; turn < 3; turn++) {
      flood(sender, 60, 'iot-2/evt/a/fmt/b');
      await stage.pass(1);
    }
    const told = stage.of('session.slowed');
    expect(told).toHaveLength(1);
    expect(told[0]?.refusal).toMatchObject({
      reason: 'quota_exceeded',
      principal: 'device:demo/pump/1',
      cure: expect.stringContaining('limits.devices.maximumMessageRate'),
    });
    expect(told[0]?.refusal.steps[0]?.compared).toMatchObject({ expected: 'at most 10' });
    expect(stage.counters.slowedDown).toBe(1);
  });

  it.each([4, 5] as const)('close who goes on for too long, at level %i', async (protocolVersion) => {
    const { stage } = await limited({ messageRate: 10, slowdown: 20_000 });
    const sender = await stage.connect('sender', { username: 'demo/sender', protocolVersion });
    for (let second = 0; second < 40 && !sender.ended; second++) {
      flood(sender, 20);
      await stage.pass(1);
    }
    expect(sender.ended).toBe(true);
    if (protocolVersion === 5) {
      const goodbye = sender.packets.find(({ type }) => type === 'disconnect');
      expect(goodbye).toMatchObject({
        reasonCode: 0x97,
        properties: { reasonString: expect.stringMatching(/^ticket/) },
      });
    }
    expect(stage.refusals.at(-1)?.cure).toContain('limits.maximumSlowdown');
  });

  it('do not let a keep alive run out while nothing is read', async () => {
    const { stage } = await limited({ byteRate: 1000 });
    const sender = await stage.connect('sender', { username: 'demo/sender', keepAlive: 1 });
    sender.publish('a', 'x'.repeat(8000));
    await stage.pass(5);
    expect([sender.paused, sender.ended]).toEqual([true, false]);
    await stage.pass(10);
    expect([sender.paused, sender.ended]).toEqual([false, true]);
  });
});

describe('connections', () => {
  it('of a principal that makes too many wait for their turn, and are refused if it is too far away', async () => {
    const { stage } = await limited({ connectRate: 1, connectDeadline: 2000 });
    const clients: Client[] = [];
    for (let index = 0; index < 14; index++) {
      const client = stage.dial();
      client.connect(`c${index}`, { username: 'demo/churn' });
      clients.push(client);
    }
    await settled();
    const answers = () =>
      clients.map(({ packets: [first] }) => (first?.type === 'connack' ? first.reasonCode : undefined));
    expect(answers()).toEqual([...Array(10).fill(0), undefined, undefined, 0x9f, 0x9f]);
    expect(stage.refusals.at(-1)).toMatchObject({
      reason: 'connection_limit',
      cure: expect.stringContaining('limits.applications.maximumConnectRate'),
    });
    const other = await stage.connect('other', { username: 'demo/other' });
    expect(other.welcome.reasonCode).toBe(0);
    await stage.pass(4);
    expect(answers().slice(0, 12)).toEqual(Array(12).fill(0));
  });

  it('that wait for their turn are judged again when it comes', async () => {
    const { stage } = await limited({ connectRate: 1 });
    for (let index = 0; index < 10; index++) await stage.connect(`c${index}`, { username: 'demo/churn' });
    const late = stage.dial();
    late.connect('late', { username: 'demo/churn' });
    await settled();
    expect(late.packets).toEqual([]);
    stage.admit = () => stage.refused('credential_revoked');
    await stage.pass(3);
    expect(late.expect('connack').reasonCode).toBe(0x87);
  });

  it.each([true, false])('that push each other out are slowed down, clean start %s', async (cleanStart) => {
    const { stage } = await limited({ takeoverRate: 1, connectDeadline: 2000 });
    const war: Client[] = [];
    for (let index = 0; index < 40; index++) {
      const client = stage.dial();
      client.connect('twin', { cleanStart, ...(cleanStart ? {} : { properties: KEPT.properties }) });
      await settled();
      war.push(client);
    }
    expect(stage.counters.sessionsTakenOver).toBe(10);
    expect(war.filter(({ packets: [first] }) => first?.type === 'connack' && first.reasonCode === 0x9f)).toHaveLength(
      27,
    );
    expect(stage.refusals.at(-1)?.cure).toContain('limits.maximumTakeoverRate');
    expect((await stage.connect('other')).welcome.reasonCode).toBe(0);
  });

  it('of an organisation are bounded, and one that goes makes room', async () => {
    const { stage } = await limited({ organisationConnections: 2 });
    const one = await stage.connect('one', KEPT);
    expect((await stage.connect('two')).welcome.reasonCode).toBe(0x97);
    expect(stage.refusals.at(-1)?.cure).toContain('limits.organisations.maximumConnections');
    expect((await stage.connect('one', KEPT)).welcome.reasonCode).toBe(0);
    expect((await stage.connect('two', { username: 'other/two' })).welcome.reasonCode).toBe(0);
    expect(one.ended).toBe(true);
    stage.broker.closeSessions({ clientId: 'one' }, 0x98, '');
    expect((await stage.connect('two')).welcome.reasonCode).toBe(0);
  });
});

describe('what is kept', () => {
  it('is bounded in sessions of a principal', async () => {
    const { stage } = await limited({ principalSessions: 2 });
    for (const id of ['one', 'two']) await (await stage.connect(id, KEPT)).vanish();
    expect((await stage.connect('three', KEPT)).welcome.reasonCode).toBe(0x97);
    expect(stage.refusals.at(-1)?.cure).toContain('limits.applications.maximumSessions');
    expect((await stage.connect('two', KEPT)).welcome.reasonCode).toBe(0);
    expect((await stage.connect('three', { username: 'demo/other' })).welcome.reasonCode).toBe(0);
  });

  it('is bounded in the size of a will, with all its properties', async () => {
    const { stage } = await limited({ willSize: 100 });
    const will = { topic: 'gone', qos: 0, retain: false } as const;
    const userProperties = Array.from({ length: 10 }, () => ['name', 'value'] as const);
    const fitting = { ...will, payload: Buffer.alloc(96) };
    expect((await stage.connect('one', { will: fitting })).welcome.reasonCode).toBe(0);
    expect((await stage.connect('two', { will: { ...will, payload: Buffer.alloc(97) } })).welcome.reasonCode).toBe(
      0x95,
    );
    const stuffed = {
      ...will,
      payload: Buffer.alloc(1),
      properties: { userProperties: userProperties.map(([k, v]) => [k, v] as [string, string]) },
    };
    expect((await stage.connect('three', { will: stuffed })).welcome.reasonCode).toBe(0x95);
    expect(stage.refusals.at(-1)?.cure).toContain('limits.maximumWillSize');
  });

  it('is bounded in subscriptions of an organisation, whoever makes and ends them', async () => {
    const { stage } = await limited({ organisationSubscriptions: 3 });
    const one = await stage.connect('one');
    expect([await one.subscribed('a'), await one.subscribed('b'), await one.subscribed('c')]).toEqual([0, 0, 0x97]);
    expect(stage.refusals.at(-1)?.steps[0]?.compared).toMatchObject({ found: '4', expected: 'at most 3' });
    expect(await one.subscribed('a')).toBe(0);
    await one.vanish();
    expect(await (await stage.connect('two')).subscribed('c')).toBe(0);
  });
});

describe('the parts', () => {
  it('an allowance owes nothing and grows nothing while a clock goes backwards', () => {
    const allowance = new Allowance();
    allowance.grant(10, Number.POSITIVE_INFINITY);
    allowance.refill(10_000);
    allowance.messages -= 30;
    expect(allowance.wait()).toBe(1000);
    allowance.refill(0);
    expect(allowance.wait()).toBe(1000);
    allowance.refill(1000);
    expect(allowance.wait()).toBe(0);
    expect(allowance.bytes).toBe(Number.POSITIVE_INFINITY);
  });

  it('a turnstile gives each the next turn', () => {
    const turnstile = new Turnstile();
    const waits = Array.from({ length: 5 }, () => turnstile.pass(0, 2, 2, 1000));
    expect(waits).toEqual([0, 0, 500, 1000, undefined]);
    expect(turnstile.pass(0, Number.POSITIVE_INFINITY, 2, 0)).toBe(0);
  });

  it.each([
    ['subscriptionsPerSession', 'device', 'limits.devices.maximumSubscriptions'],
    ['byteRate', 'gateway', 'limits.gateways.maximumByteRate'],
    ['sessions', 'application', 'limits.maximumSessions'],
  ] as const)('the key of %s of a %s is %s', (limit, kind, key) => {
    expect(limitKey(limit, { kind, organisation: 'demo', type: 't', id: 'i' } as never)).toBe(key);
  });
});
