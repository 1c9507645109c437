import { encode, type Packet } from '@sallyport/mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectPacket, field, identity, packetBytes, RawClient } from '../attacks/raw-client.ts';
import { ScramClient } from '../scram-client.ts';
import type { TestServer } from '../server.ts';
import { enter, join, KEPT, keptIn, laboratory, leave, publishWhole, textOf } from './laboratory.ts';

let server: TestServer;
beforeAll(async () => {
  server = await laboratory();
});
afterAll(() => server.close());

const BOTH = [4, 5] as const;
const CONNECTED = [0x10, 0, 4, 0x4d, 0x51, 0x54, 0x54] as const;

describe.each(BOTH)('the first packet, level %i', (version) => {
  it('[3.1.1 MQTT-3.1.0-1] [5 MQTT-3.1.0-1] is CONNECT, or the connection ends', async () => {
    const client = await RawClient.dial(server, version, true);
    client.publish('a', 'too early');
    await client.gone;
    expect(client.packets).toEqual([]);
  });

  it('[3.1.1 MQTT-3.1.0-2] [5 MQTT-3.1.0-2] is the only CONNECT, and [5 MQTT-3.2.0-2] gets the only CONNACK', async () => {
    const client = await enter(server, 'twice', {}, version);
    client.send(connectPacket({ ...identity(server, 'lab'), clientId: 'twice' }, version));
    const goodbye = await client.takeOrEnd('disconnect');
    expect(goodbye?.reasonCode).toBe(version === 5 ? 0x82 : undefined);
    await client.gone;
    expect(client.packets.filter(({ type }) => type === 'connack')).toEqual([]);
  });

  it('[3.1.1 MQTT-3.1.4-5] [5 MQTT-3.1.4-6] is followed by nothing that counts if it is refused', async () => {
    const witness = await enter(server, 'witness-of-refusals');
    await witness.subscribe('refused/#');
    const client = await RawClient.dial(server, version, true);
    const login = { ...identity(server, 'lab'), clientId: 'refused', password: Buffer.from('wrong') };
    const publish = { type: 'publish', topic: 'refused/a', payload: Buffer.from('x'), qos: 0, retain: false } as const;
    client.raw(
      Buffer.concat([encode(connectPacket(login, version), version), encode({ ...publish, dup: false }, version)]),
    );
    expect(await client.take('connack')).toMatchObject({ sessionPresent: false, reasonCode: version === 5 ? 0x87 : 5 });
    await client.gone;
    expect(await witness.heard()).toEqual([]);
    await leave(witness);
  });
});

describe('protocol name and version', () => {
  it('[3.1.1 MQTT-3.1.2-2] [5 MQTT-3.1.2-2] of the future is told to be unacceptable, then the connection ends', async () => {
    const client = await RawClient.dial(server, 4, true);
    client.raw(packetBytes(0x10, Buffer.from([...CONNECTED.slice(1), 6, 2, 0, 60, 0]), field('x')));
    expect((await client.take('connack')).reasonCode).toBe(1);
    await client.gone;
  });

  it('[3.1.1 MQTT-3.1.2-1] [5 MQTT-3.1.2-1] of another protocol ends the connection', async () => {
    const client = await RawClient.dial(server, 4, true);
    client.raw(packetBytes(0x10, field('HTTP'), Buffer.of(4, 2, 0, 60), field('x')));
    await client.gone;
  });
});

describe('a CONNECT that does not hold to its form', () => {
  const plain = Buffer.of(0, 60);
  const none = Buffer.of(0);
  it.each([
    ['[3.1.1 MQTT-3.1.2-3] the reserved flag', 4, 0x03, [plain, field('x')]],
    ['[5 MQTT-3.1.2-3] the reserved flag', 5, 0x03, [plain, none, field('x')]],
    ['[3.1.1 MQTT-3.1.2-11, MQTT-3.1.2-13] will QoS without a will', 4, 0x0a, [plain, field('x')]],
    ['[5 MQTT-3.1.2-11] will QoS without a will', 5, 0x0a, [plain, none, field('x')]],
    ['[3.1.1 MQTT-3.1.2-14] will QoS 3', 4, 0x1e, [plain, field('x'), field('w'), field('w')]],
    ['[5 MQTT-3.1.2-12] will QoS 3', 5, 0x1e, [plain, none, field('x'), none, field('w'), field('w')]],
    ['[3.1.1 MQTT-3.1.2-15] will retain without a will', 4, 0x22, [plain, field('x')]],
    ['[5 MQTT-3.1.2-13] will retain without a will', 5, 0x22, [plain, none, field('x')]],
    ['[3.1.1 MQTT-3.1.2-9] a will that is not there', 4, 0x06, [plain, field('x')]],
    ['[5 MQTT-3.1.2-9] a will that is not there', 5, 0x06, [plain, none, field('x')]],
    ['[3.1.1 MQTT-3.1.2-19] a user name that is not there', 4, 0x82, [plain, field('x')]],
    ['[5 MQTT-3.1.2-17] a user name that is not there', 5, 0x82, [plain, none, field('x')]],
    ['[3.1.1 MQTT-3.1.2-18, MQTT-3.1.2-20] fields without their flags', 4, 0x02, [plain, field('x'), field('u')]],
    ['[5 MQTT-3.1.2-16, MQTT-3.1.2-18] fields without their flags', 5, 0x02, [plain, none, field('x'), field('u')]],
    ['[3.1.1 MQTT-3.1.2-21] a password that is not there', 4, 0xc2, [plain, field('x'), field('u')]],
    ['[5 MQTT-3.1.2-19] a password that is not there', 5, 0xc2, [plain, none, field('x'), field('u')]],
    ['[3.1.1 MQTT-3.1.2-22] a password without a user name', 4, 0x42, [plain, field('x'), field('p')]],
    ['[3.1.1 MQTT-3.1.3-3] no client id', 4, 0x02, [plain]],
    ['[5 MQTT-3.1.3-3] no client id', 5, 0x02, [plain, none]],
    ['[3.1.1 MQTT-3.1.3-1] fields in another order', 4, 0x06, [plain, field('#'), field('#'), field('x')]],
    ['[5 MQTT-3.1.3-1] fields in another order', 5, 0x06, [plain, none, field('#'), field('#'), field('x')]],
    ['[3.1.1 MQTT-3.1.3-4] a client id that is not UTF-8', 4, 0x02, [plain, field(Buffer.of(0xff))]],
    ['[5 MQTT-3.1.3-4] a client id that is not UTF-8', 5, 0x02, [plain, none, field(Buffer.of(0xff))]],
    [
      '[3.1.1 MQTT-3.1.3-10] a will topic that is not UTF-8',
      4,
      0x06,
      [plain, field('x'), field(Buffer.of(0xc0)), field('')],
    ],
    [
      '[5 MQTT-3.1.3-11] a will topic that is not UTF-8',
      5,
      0x06,
      [plain, none, field('x'), none, field(Buffer.of(0xc0)), field('')],
    ],
    ['[3.1.1 MQTT-3.1.3-11] a user name that is not UTF-8', 4, 0x82, [plain, field('x'), field(Buffer.of(0xff))]],
    ['[5 MQTT-3.1.3-12] a user name that is not UTF-8', 5, 0x82, [plain, none, field('x'), field(Buffer.of(0xff))]],
    ['[3.1.1 MQTT-3.1.4-1, MQTT-3.2.2-6] bytes behind the last field', 4, 0x02, [plain, field('x'), Buffer.of(1)]],
    [
      '[5 MQTT-3.1.4-1] a property twice',
      5,
      0x02,
      [plain, Buffer.of(10, 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1), field('x')],
    ],
  ] as const)('%s ends the connection', async (_, version, flags, parts) => {
    const client = await RawClient.dial(server, version, true);
    client.raw(packetBytes(0x10, Buffer.from(CONNECTED.slice(1)), Buffer.of(version, flags), ...parts));
    await client.gone;
    if (version === 5) expect(client.packets).toMatchObject([{ type: 'connack', sessionPresent: false }]);
    else expect(client.packets).toEqual([]);
  });
});

describe.each(BOTH)('sessions, level %i', (version) => {
  it('[3.1.1 MQTT-3.1.4-3, MQTT-3.1.2-6, MQTT-3.2.2-1] [5 MQTT-3.1.4-4, MQTT-3.1.2-4, MQTT-3.2.2-2] start afresh where the client asks for it', async () => {
    const first = await enter(server, 'fresh', keptIn(version), version);
    await first.subscribe('fresh/#', { qos: 1 });
    await leave(first);
    const { client, welcome } = await join(server, 'fresh', { cleanStart: true }, version);
    expect(welcome).toMatchObject({ sessionPresent: false, reasonCode: 0 });
    client.publish('fresh/a', 'x');
    expect(await client.heard()).toEqual([]);
    await leave(client);
  });

  it('[3.1.1 MQTT-3.1.2-4, MQTT-3.2.2-2, MQTT-3.2.2-3, MQTT-3.1.4-4] [5 MQTT-3.1.2-5, MQTT-3.1.2-6, MQTT-3.2.2-3, MQTT-3.1.4-5] are resumed where there is one, and opened where there is none', async () => {
    const { client, welcome } = await join(server, `kept-${version}`, keptIn(version), version);
    expect(welcome).toMatchObject({ sessionPresent: false, reasonCode: 0 });
    await client.subscribe('kept/#', { qos: 1 });
    await leave(client);
    const again = await join(server, `kept-${version}`, keptIn(version), version);
    expect(again.welcome).toMatchObject({ sessionPresent: true, reasonCode: 0 });
    again.client.publish('kept/a', 'still subscribed');
    expect(await again.client.heard()).toEqual(['kept/a still subscribed']);
    await leave(again.client);
    await leave(await enter(server, `kept-${version}`, { cleanStart: true }, version));
  });

  it('[3.1.1 MQTT-3.1.2-5, MQTT-4.1.0-1, MQTT-4.1.0-2, MQTT-4.5.0-1] [5 MQTT-3.1.2-23, MQTT-4.1.0-1, MQTT-4.5.0-1] keep what comes for an absent client', async () => {
    const client = await enter(server, 'absent', keptIn(version), version);
    await client.subscribe('absent/#', { qos: 2 });
    await leave(client);
    const sender = await enter(server, 'sender');
    await publishWhole(sender, 'absent/one', '1', 1);
    await publishWhole(sender, 'absent/two', '2', 2);
    const back = await enter(server, 'absent', keptIn(version), version);
    expect([textOf(await back.take('publish')), textOf(await back.take('publish'))]).toEqual(['1', '2']);
    await leave(back);
    await leave(await enter(server, 'absent', { cleanStart: true }, version));
    await leave(sender);
  });

  it('[3.1.1 MQTT-3.1.4-2] [5 MQTT-3.1.4-3] belong to one connection at a time: the older one ends', async () => {
    const older = await enter(server, 'once', {}, version);
    const newer = await enter(server, 'once', {}, version);
    if (version === 5) expect((await older.take('disconnect')).reasonCode).toBe(0x8e);
    await older.gone;
    expect(await newer.settled()).toBe(true);
    await leave(newer);
  });

  it('[3.1.1 MQTT-3.1.2-7] keep nothing of retained messages, which outlive them', async () => {
    const client = await enter(server, 'retainer', {}, version);
    client.publish('outlive', 'kept', { retain: true });
    await client.settled();
    await leave(client);
    const other = await enter(server, 'retainer', {}, version);
    await other.subscribe('outlive');
    expect(await other.heard()).toEqual(['outlive kept']);
    other.publish('outlive', '', { retain: true });
    await leave(other);
  });
});

describe('session expiry', () => {
  it('[5 MQTT-4.1.0-2] ends a session when its time has come', async () => {
    const short = { cleanStart: false, properties: { sessionExpiryInterval: 1 } };
    await leave(await enter(server, 'short', short));
    expect((await join(server, 'short', short)).welcome.sessionPresent).toBe(true);
    await leave(await enter(server, 'short', short));
    // The end of an absent session is told to nobody.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect((await join(server, 'short', short)).welcome.sessionPresent).toBe(false);
  });

  it('[5 MQTT-3.14.2-2] can be given by DISCONNECT, but not to a session that has none', async () => {
    const client = await enter(server, 'longer', { properties: { sessionExpiryInterval: 1 } });
    client.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 3600 } });
    await client.gone;
    const again = await join(server, 'longer', KEPT);
    expect(again.welcome.sessionPresent).toBe(true);
    again.client.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    await again.client.gone;
    expect((await join(server, 'longer', KEPT)).welcome.sessionPresent).toBe(false);
    const brief = await enter(server, 'brief');
    brief.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 10 } });
    const answer = await brief.take('disconnect');
    expect(answer.reasonCode).toBe(0x82);
    expect(answer.properties?.sessionExpiryInterval).toBeUndefined();
  });
});

describe('client ids', () => {
  it.each(BOTH)(
    '[3.1.1 MQTT-3.1.3-5] [5 MQTT-3.1.3-5] of 1 to 23 letters and digits are taken, level %i',
    async (version) => {
      for (const clientId of ['x', '0123456789abcdefghijklm', 'nopqrstuvwxyzABCDEFGHIJ', 'KLMNOPQRSTUVWXYZ']) {
        await leave(await enter(server, clientId, {}, version));
      }
    },
  );

  it('[5 MQTT-3.1.3-2, MQTT-3.1.3-6, MQTT-3.1.3-7, MQTT-3.2.2-16] that are empty are replaced by a new one, which is told and can be used again', async () => {
    const first = await join(server, '', KEPT);
    const second = await join(server, '', KEPT);
    const given = first.welcome.properties?.assignedClientIdentifier;
    expect(given).toMatch(/./);
    expect(second.welcome.properties?.assignedClientIdentifier).not.toBe(given);
    await leave(first.client);
    expect((await join(server, given!, KEPT)).welcome.sessionPresent).toBe(true);
  });

  it('[3.1.1 MQTT-3.1.3-6, MQTT-3.1.3-2] that are empty are unique to each client', async () => {
    const first = await enter(server, '', {}, 4);
    const second = await enter(server, '', {}, 4);
    expect(await first.settled()).toBe(true);
    await Promise.all([leave(first), leave(second)]);
  });

  it('[3.1.1 MQTT-3.1.3-7, MQTT-3.1.3-8] that are empty cannot keep a session', async () => {
    const client = await RawClient.dial(server, 4, true);
    client.raw(packetBytes(0x10, Buffer.from(CONNECTED.slice(1)), Buffer.of(4, 0, 0, 60), field('')));
    expect(await client.take('connack')).toMatchObject({ sessionPresent: false, reasonCode: 2 });
    await client.gone;
  });

  it('[3.1.1 MQTT-3.1.3-9, MQTT-3.2.2-4, MQTT-3.2.2-5] [5 MQTT-3.1.3-8, MQTT-3.1.4-2, MQTT-3.2.2-6, MQTT-3.2.2-7] that belong to somebody else are refused, and the connection ends', async () => {
    for (const version of BOTH) {
      const { client, welcome } = await join(server, 'd:demo:pump:pump-7', {}, version);
      expect(welcome).toMatchObject({ sessionPresent: false, reasonCode: version === 5 ? 0x85 : 2 });
      await client.gone;
    }
  });
});

describe('CONNACK', () => {
  it('[3.1.1 MQTT-3.2.0-1] [5 MQTT-3.2.0-1, MQTT-3.14.0-1] comes before anything else', async () => {
    for (const version of BOTH) {
      const kept = await enter(server, 'order', keptIn(version), version);
      await kept.subscribe('order/#', { qos: 1 });
      await leave(kept);
      const sender = await enter(server, 'order-sender');
      await publishWhole(sender, 'order/a', 'x', 1);
      const back = await RawClient.dial(server, version, true);
      back.send(connectPacket({ ...identity(server, 'lab'), clientId: 'order', ...keptIn(version) }, version));
      await back.take('publish');
      expect(back.packets[0]?.type).toBe('connack');
      await leave(back);
      await leave(await enter(server, 'order', { cleanStart: true }, version));
      await leave(sender);
    }
  });

  it('[5 MQTT-3.2.2-1, MQTT-3.2.2-8, MQTT-3.2.2-9, MQTT-3.2.2-10, MQTT-3.2.2-12, MQTT-3.2.2-13] offers everything, so that it needs to say nothing of missing features', async () => {
    const will = { topic: 'offered', payload: Buffer.from('x'), qos: 2, retain: true } as const;
    const { client, welcome } = await join(server, 'offered', { will });
    expect(welcome.reasonCode).toBe(0);
    for (const missing of ['maximumQos', 'retainAvailable', 'wildcardSubscriptionAvailable'] as const) {
      expect(welcome.properties).not.toHaveProperty(missing);
    }
    expect(await client.subscribe('offered', { qos: 2 })).toBe(2);
    await leave(client);
  });

  it('[5 MQTT-3.1.2-28] tells where responses may go only to who asks', async () => {
    const asked = await join(server, 'asks', { properties: { requestResponseInformation: true } });
    expect(asked.welcome.properties?.responseInformation).toBe('responses/asks');
    for (const properties of [{}, { requestResponseInformation: false }]) {
      const { client, welcome } = await join(server, 'silent', { properties });
      expect(welcome.properties).not.toHaveProperty('responseInformation');
      await leave(client);
    }
    await leave(asked.client);
  });

  it('[5 MQTT-3.2.2-19, MQTT-3.2.2-20] carries no reason that would make it too large', async () => {
    const login = { password: Buffer.from('wrong'), properties: { maximumPacketSize: 64 } };
    const { welcome } = await join(server, 'small', login);
    expect(welcome.properties ?? {}).not.toHaveProperty('userProperties');
    expect(encode(welcome, 5).length).toBeLessThanOrEqual(64);
    const small = await join(server, '', { properties: { maximumPacketSize: 64 } });
    expect(encode(small.welcome, 5).length).toBeLessThanOrEqual(64);
    await leave(small.client);
  });
});

describe('keep alive', () => {
  it.each(BOTH)(
    '[3.1.1 MQTT-3.1.2-24] [5 MQTT-3.1.2-22] ends a connection that was silent for one and a half times as long, level %i',
    async (version) => {
      const client = await enter(server, 'sleeper', { keepAlive: 1 }, version);
      const goodbye = await client.takeOrEnd('disconnect');
      expect(goodbye?.reasonCode).toBe(version === 5 ? 0x8d : undefined);
      await client.gone;
    },
  );

  it('[3.1.1 MQTT-3.12.4-1] [5 MQTT-3.12.4-1, MQTT-3.2.2-22] goes on with every PINGREQ, each answered', async () => {
    const { client, welcome } = await join(server, 'pinger', { keepAlive: 2 });
    expect(welcome.properties).not.toHaveProperty('serverKeepAlive');
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setTimeout(resolve, 800));
      expect(await client.settled()).toBe(true);
    }
    await leave(client);
  });
});

describe('extended authentication', () => {
  const method = 'SCRAM-SHA-256';
  const auth = (text: string, authenticationMethod: string = method) => ({
    authenticationMethod,
    authenticationData: Buffer.from(text),
  });
  const textOfData = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();
  const scram = () => new ScramClient(method, 'lab-user', 'correct horse');
  beforeAll(async () => {
    const password = { username: 'lab-user', password: 'correct horse', scram: true };
    await server.api.applications.credentials.issue({ organisation: 'demo', id: 'lab' }, { password });
  });

  /** CONNECT with a method; answers the first AUTH of the server, if there is one. */
  async function begin(clientId: string, side: ScramClient, properties: object = {}) {
    const client = await RawClient.dial(server, 5, true);
    const whole = { ...auth(side.first), ...properties };
    client.send({ type: 'connect', protocolVersion: 5, cleanStart: true, keepAlive: 60, clientId, properties: whole });
    return { client, challenge: await client.takeOrEnd('auth') };
  }

  it('[5 MQTT-4.12.0-1] of a method that is not offered is refused, and the connection ends', async () => {
    const { client, welcome } = await join(server, 'unknown', { properties: { authenticationMethod: 'GSSAPI' } });
    expect(welcome.reasonCode).toBe(0x8c);
    await client.gone;
  });

  it('[5 MQTT-4.12.0-2, MQTT-4.12.0-5, MQTT-3.15.2-1] goes on by AUTH 0x18 and ends with CONNACK, all with the method of CONNECT', async () => {
    const side = scram();
    const { client, challenge } = await begin('scram', side);
    expect([challenge?.reasonCode, challenge?.properties?.authenticationMethod]).toEqual([0x18, method]);
    const final = side.final(textOfData(challenge?.properties?.authenticationData));
    client.send({ type: 'auth', reasonCode: 0x18, properties: auth(final) });
    const welcome = await client.take('connack');
    expect([welcome.reasonCode, welcome.properties?.authenticationMethod]).toEqual([0, method]);
    expect(textOfData(welcome.properties?.authenticationData)).toBe(`v=${side.serverSignature}`);
    await leave(client);
  });

  it('[5 MQTT-4.12.0-4] is refused by CONNACK at any step, and the connection ends', async () => {
    const first = await join(server, 'no-first', { properties: auth('nonsense') });
    expect(first.welcome.reasonCode).toBe(0x87);
    await first.client.gone;
    const { client } = await begin('no-last', scram());
    client.send({ type: 'auth', reasonCode: 0x18, properties: auth('nonsense') });
    expect((await client.take('connack')).reasonCode).toBe(0x87);
    await client.gone;
  });

  it('[5 MQTT-3.15.2-1, MQTT-4.12.0-5] ends the connection where anything but its own AUTH comes before CONNACK', async () => {
    const wrong: Packet[] = [
      { type: 'pingreq' },
      { type: 'auth', reasonCode: 0x19, properties: auth('x') },
      { type: 'auth', reasonCode: 0x18, properties: auth('x', 'SCRAM-SHA-512') },
    ];
    for (const packet of wrong) {
      const { client } = await begin('impatient', scram());
      client.send(packet);
      expect(await client.takeOrEnd('connack')).toBeUndefined();
    }
  });

  it('[5 MQTT-3.15.2-2, MQTT-3.15.2-3] sends no AUTH that is larger than the client takes, and neither reason strings nor user properties in it', async () => {
    const { client, challenge } = await begin('small', scram(), { maximumPacketSize: 64 });
    expect(challenge).toBeUndefined();
    expect(client.packets).toMatchObject([{ type: 'connack', reasonCode: 0x87 }]);
    const large = await begin('large', scram());
    expect(Object.keys(large.challenge?.properties ?? {}).sort()).toEqual([
      'authenticationData',
      'authenticationMethod',
    ]);
    await large.client.vanish();
  });

  it('[5 MQTT-4.12.0-6, MQTT-4.12.0-7] does not begin where CONNECT named no method', async () => {
    const { client, welcome } = await join(server, 'unasked');
    expect(welcome.properties).not.toHaveProperty('authenticationMethod');
    client.send({ type: 'auth', reasonCode: 0x19, properties: { authenticationMethod: method } });
    expect((await client.take('disconnect')).reasonCode).toBe(0x82);
    await client.gone;
  });

  it('[5 MQTT-4.12.1-2] may be done again in the session, which ends if it fails', async () => {
    const side = scram();
    const { client, challenge } = await begin('again', side);
    const final = side.final(textOfData(challenge?.properties?.authenticationData));
    client.send({ type: 'auth', reasonCode: 0x18, properties: auth(final) });
    await client.take('connack');
    const second = scram();
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth(second.first) });
    const asked = textOfData((await client.take('auth')).properties?.authenticationData);
    expect(await client.settled()).toBe(true);
    client.send({ type: 'auth', reasonCode: 0x18, properties: auth(second.final(asked)) });
    expect(await client.take('auth')).toMatchObject({ reasonCode: 0, properties: { authenticationMethod: method } });
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth('nonsense') });
    expect((await client.take('disconnect')).reasonCode).toBe(0x87);
    await client.gone;
  });
});

describe('DISCONNECT', () => {
  it('[3.1.1 MQTT-3.14.1-1] [5 MQTT-3.14.1-1] with reserved bits ends the connection as malformed', async () => {
    for (const version of BOTH) {
      const client = await enter(server, 'bits', {}, version);
      client.raw(Buffer.of(0xe1, 0));
      const answer = await client.takeOrEnd('disconnect');
      expect(answer?.reasonCode).toBe(version === 5 ? 0x81 : undefined);
      await client.gone;
    }
  });

  it('[5 MQTT-3.14.4-1, MQTT-3.14.4-2, MQTT-3.14.2-1, MQTT-4.13.2-1] of the server is its last packet before it closes', async () => {
    const older = await enter(server, 'last-word');
    await older.subscribe('last-word');
    const newer = await enter(server, 'last-word');
    await older.gone;
    expect(older.packets.at(-1)).toMatchObject({ type: 'disconnect', reasonCode: 0x8e });
    await leave(newer);
  });

  it('of a client ends the connection from both sides', async () => {
    const client = await enter(server, 'goodbye', {}, 4);
    await leave(client);
    expect(client.closed).toBe(true);
  });
});
