import { encode } from '@sallyport/mqtt';
import { describe, expect, it } from 'vitest';
import { Stage, settled } from './harness.ts';

const GARBAGE = Buffer.from('GET / HTTP/1.1\r\n\r\n');

describe('connecting', () => {
  it.each([3, 4, 5] as const)('welcomes a client of protocol level %i', async (protocolVersion) => {
    const stage = new Stage();
    const client = await stage.connect('one', { protocolVersion });
    expect(client.welcome).toMatchObject({ reasonCode: 0, sessionPresent: false });
    expect(stage.of('session.opened')).toMatchObject([{ clientId: 'one', organisation: 'demo', protocolVersion }]);
  });

  it.each([
    { version: 4, code: 5, told: undefined },
    { version: 5, code: 0x87, told: 'ticket T00000' },
  ] as const)('refuses with a coarse code at level $version and closes', async ({ version, code, told }) => {
    const stage = new Stage();
    const client = await stage.connect('one', { protocolVersion: version, username: 'nobody' });
    expect(client.welcome.reasonCode).toBe(code);
    expect(client.welcome.properties?.reasonString).toBe(told);
    expect(client.ended).toBe(true);
    expect(stage.of('session.refused')).toHaveLength(1);
    expect(stage.of('session.opened')).toHaveLength(0);
  });

  it('tells the ticket of a refusal only where problem information is wanted', async () => {
    const stage = new Stage();
    const client = await stage.connect('one', { username: 'nobody', properties: { requestProblemInformation: false } });
    expect(client.welcome.properties?.reasonString).toBeUndefined();
  });

  it('refuses a client id that only looks like one of a device', async () => {
    const stage = new Stage();
    expect((await stage.connect('d:demo', { protocolVersion: 4 })).welcome.reasonCode).toBe(2);
    expect((await stage.connect('d:demo', { protocolVersion: 5 })).welcome.reasonCode).toBe(0x85);
  });

  it('[3.1.1 MQTT-4.8.0-2] refuses, and goes on serving others, when a door breaks', async () => {
    for (const arrive of [
      () => {
        throw new Error('store is down');
      },
      () => Promise.reject(new Error('store is down')),
    ]) {
      const stage = new Stage({ arrive });
      const client = await stage.connect('one', { protocolVersion: 4 });
      expect(client.welcome.reasonCode).toBe(3);
      expect(stage.of('defect')).toHaveLength(1);
    }
  });

  it('reads nothing while the doors take their time, and everything afterwards', async () => {
    let open = (): void => {};
    const stage: Stage = new Stage({
      arrive: (arrival) =>
        new Promise((resolve) => {
          open = () => resolve(stage.admit(arrival));
        }),
    });
    const client = stage.dial();
    client.send(
      { type: 'connect', protocolVersion: 5, cleanStart: true, keepAlive: 0, clientId: 'one' },
      { type: 'pingreq' },
    );
    await settled();
    expect(client.paused).toBe(true);
    expect(client.packets).toEqual([]);
    open();
    await settled();
    expect(client.paused).toBe(false);
    expect(client.packets.map(({ type }) => type)).toEqual(['connack', 'pingresp']);
  });

  it('forgets a client that went away while the doors were deciding', async () => {
    let open = (): void => {};
    const stage: Stage = new Stage({
      arrive: (arrival) =>
        new Promise((resolve) => {
          open = () => resolve(stage.admit(arrival));
        }),
    });
    const client = stage.dial();
    client.connect('one');
    await client.vanish();
    open();
    await settled();
    expect(stage.broker.countSessions()).toBe(0);
    expect(stage.counters.connectionsNow).toBe(0);
  });

  it('assigns a client identifier of its own and tells it', async () => {
    const stage = new Stage();
    const first = await stage.connect('');
    const second = await stage.connect('');
    const told = first.welcome.properties?.assignedClientIdentifier;
    expect(told).toMatch(/^auto-/);
    expect(second.welcome.properties?.assignedClientIdentifier).not.toBe(told);
    expect(stage.broker.findSession('demo', told!)).toMatchObject({ connected: true });
  });

  it('refuses an empty client identifier with a kept session in MQTT 3.1.1', async () => {
    const stage = new Stage();
    const client = stage.dial(4);
    client.raw(Buffer.from([0x10, 12, 0, 4, 77, 81, 84, 84, 4, 0, 0, 0, 0, 0]));
    await settled();
    expect(client.expect('connack').reasonCode).toBe(2);
    expect(client.ended).toBe(true);
  });

  it('refuses an empty client identifier in MQTT 3.1, which has none that the server makes up', async () => {
    const stage = new Stage();
    expect((await stage.connect('', { protocolVersion: 3 })).welcome.reasonCode).toBe(2);
  });

  it.each([2, 12])('says nothing to an MQTT 5 client that takes no packet larger than %i bytes', async (most) => {
    const stage = new Stage();
    const client = stage.dial(5);
    client.send({
      type: 'connect',
      protocolVersion: 5,
      clientId: 'tiny',
      cleanStart: true,
      keepAlive: 60,
      properties: { maximumPacketSize: most, sessionExpiryInterval: 60 },
    });
    await settled();
    expect(client.packets).toEqual([]);
    expect(client.ended).toBe(true);
    expect(stage.of('session.refused')).toMatchObject([{ refusal: { reason: 'packet_too_large' } }]);
    expect(stage.broker.findSession('demo', 'tiny')).toBeUndefined();
  });

  it('tells an MQTT 5 client every bound that it would run into', async () => {
    const stage = new Stage({ limits: { keepAliveMaximum: 60, sessionExpiryMaximum: 100 } });
    const client = await stage.connect('one', { keepAlive: 600, properties: { sessionExpiryInterval: 0xffffffff } });
    expect(client.welcome.properties).toMatchObject({
      serverKeepAlive: 60,
      sessionExpiryInterval: 100,
      receiveMaximum: stage.limits.receiveMaximum,
      maximumPacketSize: stage.limits.maximumPacketSize,
      topicAliasMaximum: stage.limits.topicAliasMaximum,
    });
  });

  it('answers an unknown protocol level with unacceptable protocol version', async () => {
    const stage = new Stage();
    const client = stage.dial(4);
    const bytes = encode({ type: 'connect', protocolVersion: 4, cleanStart: true, keepAlive: 0, clientId: 'a' }, 4);
    bytes[8] = 9;
    client.raw(bytes);
    await settled();
    expect(client.expect('connack').reasonCode).toBe(1);
    expect(client.ended).toBe(true);
  });
});

describe('strangers', () => {
  it.each([
    { name: 'bytes of another protocol', bytes: GARBAGE },
    { name: 'PUBLISH before CONNECT', bytes: Buffer.from([0x30, 3, 0, 1, 97]) },
    { name: 'PINGREQ before CONNECT', bytes: Buffer.from([0xc0, 0]) },
    { name: 'a CONNECT that announces 200 MB', bytes: Buffer.from([0x10, 0x80, 0x80, 0x80, 0x60]) },
  ])('closes without a word on $name', async ({ bytes }) => {
    const stage = new Stage();
    const client = stage.dial(4);
    client.raw(bytes);
    await settled();
    expect(client.ended).toBe(true);
    expect(stage.of('session.refused')).toHaveLength(1);
    expect(stage.counters.connectionsNow).toBe(0);
  });

  it('closes on a deadline when no CONNECT comes, however slowly its bytes drip', async () => {
    const stage = new Stage({ limits: { connectDeadline: 3000 } });
    const silent = stage.dial();
    const slow = stage.dial();
    for (const byte of [0x10, 0x20, 0]) {
      slow.raw(Buffer.from([byte]));
      await stage.pass(1);
    }
    await stage.pass(2);
    expect([silent.ended, slow.ended]).toEqual([true, true]);
    expect(stage.counters.connectTimeouts).toBe(2);
  });

  it('closes on the same deadline when the doors never answer', async () => {
    const stage = new Stage({ limits: { connectDeadline: 3000 }, arrive: () => new Promise(() => {}) });
    const client = stage.dial();
    client.connect('one');
    await stage.pass(5);
    expect(client.ended).toBe(true);
  });

  it.each([
    { version: 4, packets: [] },
    { version: 5, packets: ['disconnect'] },
  ] as const)('ends the session on a second CONNECT at level $version', async ({ version, packets }) => {
    const stage = new Stage();
    const client = await stage.connect('one', { protocolVersion: version });
    client.connect('two');
    await settled();
    expect(client.ended).toBe(true);
    expect(client.packets.map(({ type }) => type)).toEqual(packets);
    expect(client.packets).toMatchObject(
      packets.map(() => ({ reasonCode: 0x82, properties: { reasonString: 'ticket T00000' } })),
    );
    expect(stage.broker.countSessions()).toBe(0);
  });

  it('takes no more connections than its bound', async () => {
    const stage = new Stage({ limits: { connections: 1 } });
    const first = await stage.connect('one');
    const second = stage.dial();
    await settled();
    expect([first.ended, second.ended]).toEqual([false, true]);
  });

  it('opens no more sessions in an organisation than its bound', async () => {
    const stage = new Stage({ limits: { sessions: 1 } });
    await stage.connect('one');
    expect((await stage.connect('two')).welcome.reasonCode).toBe(0x97);
    expect((await stage.connect('one')).welcome.reasonCode).toBe(0);
    expect((await stage.connect('two', { username: 'other/lab' })).welcome.reasonCode).toBe(0);
  });

  it('ends on AUTH, which nobody has asked for', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.send({ type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'x' } });
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(0x82);
  });
});

describe('keep alive', () => {
  it('is one and a half times what was agreed, and any packet renews it', async () => {
    const stage = new Stage();
    const client = await stage.connect('one', { keepAlive: 10 });
    await stage.pass(14);
    client.send({ type: 'pingreq' });
    await settled();
    client.expect('pingresp');
    await stage.pass(14);
    expect(client.ended).toBe(false);
    await stage.pass(4);
    expect(client.expect('disconnect').reasonCode).toBe(0x8d);
    expect(stage.of('session.closed')).toMatchObject([{ closeCode: 160 }]);
  });

  it('[5 MQTT-3.2.2-21] is the one of the server where it tells one', async () => {
    const stage = new Stage({ limits: { keepAliveMaximum: 10 } });
    const client = await stage.connect('one', { keepAlive: 3600 });
    expect(client.welcome.properties?.serverKeepAlive).toBe(10);
    await stage.pass(14);
    expect(client.ended).toBe(false);
    await stage.pass(3);
    expect(client.expect('disconnect').reasonCode).toBe(0x8d);
  });

  it('is not watched where the client wants none', async () => {
    const stage = new Stage();
    const client = await stage.connect('one', { keepAlive: 0 });
    await stage.pass(1000);
    expect(client.ended).toBe(false);
  });
});

describe('takeover', () => {
  it.each([4, 5] as const)('closes the older connection with the same client id at level %i', async (version) => {
    const stage = new Stage();
    const older = await stage.connect('one', { protocolVersion: version });
    const newer = await stage.connect('one', { protocolVersion: version });
    expect(older.ended).toBe(true);
    expect(newer.ended).toBe(false);
    if (version === 5) expect(older.expect('disconnect').reasonCode).toBe(0x8e);
    expect(stage.of('session.closed')).toMatchObject([{ closeCode: 288 }]);
    expect(stage.broker.countSessions('demo')).toBe(1);
  });

  it('does not reach across organisations', async () => {
    const stage = new Stage();
    const mine = await stage.connect('one', { username: 'demo/lab' });
    await stage.connect('one', { username: 'other/lab' });
    expect(mine.ended).toBe(false);
    expect(stage.broker.countSessions()).toBe(2);
  });

  it('lets no other principal resume or evict a session, whatever client ids it may use', async () => {
    const stage = new Stage();
    const kept = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    const mine = await stage.connect('one', { ...kept, username: 'demo/lab' });
    await mine.subscribed('secret', { qos: 1 });
    const stranger = stage.dial();
    stranger.connect('one', { ...kept, username: 'demo/other' });
    await settled();
    expect(stranger.expect('connack')).toMatchObject({ reasonCode: 0x85, sessionPresent: false });
    expect(mine.ended).toBe(false);
    await mine.vanish();
    const again = stage.dial();
    again.connect('one', { ...kept, username: 'demo/other' });
    await settled();
    expect(again.expect('connack').reasonCode).toBe(0x85);
  });
});

describe('closing', () => {
  it('says why to MQTT 5 clients, refuses newcomers and ends when all have gone', async () => {
    const stage = new Stage();
    const five = await stage.connect('five');
    const four = await stage.connect('four', { protocolVersion: 4 });
    await stage.broker.close('maintenance');
    expect(five.expect('disconnect').reasonCode).toBe(0x8b);
    expect(four.packets).toEqual([]);
    expect([five.ended, four.ended, stage.dial().ended]).toEqual([true, true, true]);
    expect(stage.of('session.closed').map(({ closeCode }) => closeCode)).toEqual([93, 93]);
  });

  it('does not wait for ever for a client that does not read', async () => {
    const stage = new Stage({ limits: { closeDeadline: 20 } });
    const client = await stage.connect('one');
    client.stalled = true;
    await stage.broker.close('maintenance');
    await settled();
    expect(stage.counters.connectionsNow).toBe(0);
  });
});
