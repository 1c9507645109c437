import { encode, type Publish } from '@sallyport/mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawClient } from '../attacks/raw-client.ts';
import type { TestServer } from '../server.ts';
import {
  enter,
  forgetRetained,
  join,
  KEPT,
  keptIn,
  laboratory,
  leave,
  publishWhole,
  receiveWhole,
  subscribeAll,
  textOf,
} from './laboratory.ts';

let server: TestServer;
let sender: RawClient;
beforeAll(async () => {
  server = await laboratory({ 'limits.applications.receiveMaximum': 20, 'limits.topicAliasMaximum': 5 });
  sender = await enter(server, 'sender', { keepAlive: 0 });
});
afterAll(() => server.close());

const BOTH = [4, 5] as const;

describe.each(BOTH)('QoS from a client, level %i', (version) => {
  it('[3.1.1 MQTT-3.3.4-1, MQTT-2.3.1-6, MQTT-4.3.2-2, MQTT-4.3.3-2] [5 MQTT-3.3.4-1, MQTT-2.2.1-5, MQTT-4.3.2-4, MQTT-4.3.3-8, MQTT-4.3.3-11, MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.7.2-1] is answered by PUBACK, or PUBREC and PUBCOMP, with the same identifier', async () => {
    const client = await enter(server, 'publisher', {}, version);
    const unheard = version === 5 ? 0x10 : 0;
    client.publish('qos', '0');
    client.publish('qos', '1', { qos: 1, packetId: 11 });
    expect(await client.take('puback')).toMatchObject({ packetId: 11, reasonCode: unheard });
    client.publish('qos', '2', { qos: 2, packetId: 12 });
    expect(await client.take('pubrec')).toMatchObject({ packetId: 12, reasonCode: unheard });
    client.send({ type: 'pubrel', packetId: 12, reasonCode: 0 });
    expect(await client.take('pubcomp')).toMatchObject({ packetId: 12, reasonCode: 0 });
    await client.settled();
    expect(client.packets).toEqual([]);
    await leave(client);
  });

  it('[3.1.1 MQTT-4.3.2-2] [5 MQTT-4.3.2-5] 1: an identifier that was acknowledged names a new message, whatever DUP says', async () => {
    const witness = await enter(server, 'witness');
    await witness.subscribe('fresh');
    const client = await enter(server, 'publisher', {}, version);
    for (const dup of [false, true]) {
      client.publish('fresh', 'x', { qos: 1, packetId: 3, dup });
      await client.take('puback');
    }
    expect(await witness.heard()).toHaveLength(2);
    await Promise.all([leave(client), leave(witness)]);
  });

  it('[3.1.1 MQTT-4.3.3-2] [5 MQTT-4.3.3-10, MQTT-4.3.3-12] 2: an identifier names the same message until it is released, and then a new one', async () => {
    const witness = await enter(server, 'witness');
    await witness.subscribe('once');
    const client = await enter(server, 'publisher', {}, version);
    for (const dup of [false, true, true]) {
      client.publish('once', 'x', { qos: 2, packetId: 3, dup });
      await client.take('pubrec');
    }
    expect(await witness.heard()).toHaveLength(1);
    client.send({ type: 'pubrel', packetId: 3, reasonCode: 0 });
    await client.take('pubcomp');
    await publishWhole(client, 'once', 'x', 2, 3);
    expect(await witness.heard()).toHaveLength(1);
    await Promise.all([leave(client), leave(witness)]);
  });

  it('[3.1.1 MQTT-4.3.3-2] [5 MQTT-4.3.3-10, MQTT-4.3.3-13] 2: is remembered across connections', async () => {
    const witness = await enter(server, 'witness');
    await witness.subscribe('across');
    const client = await enter(server, 'across', keptIn(version), version);
    client.publish('across', 'x', { qos: 2, packetId: 5 });
    await client.take('pubrec');
    await client.vanish();
    const back = await enter(server, 'across', keptIn(version), version);
    back.publish('across', 'x', { qos: 2, packetId: 5, dup: true });
    await back.take('pubrec');
    back.send({ type: 'pubrel', packetId: 5, reasonCode: 0 });
    await back.take('pubcomp');
    expect(await witness.heard()).toHaveLength(1);
    await Promise.all([leave(back), leave(witness)]);
    await leave(await enter(server, 'across', { cleanStart: true }, version));
  });

  it('[3.1.1 MQTT-3.3.5-2] [5 MQTT-3.4.2-1, MQTT-4.3.3-9] that is not permitted is told in MQTT 5, and ends a connection below', async () => {
    const login = { clientId: 'd:demo:pump:pump-7', username: 'use-token-auth' };
    const password = Buffer.from(server.tokens['pump-7']!);
    const { client } = await join(server, login.clientId, { ...login, password }, version);
    client.publish('not/mine', 'x', { qos: 2, packetId: 9 });
    if (version < 5) {
      await client.gone;
      expect(client.packets).toEqual([]);
      return;
    }
    expect((await client.take('pubrec')).reasonCode).toBeGreaterThanOrEqual(0x80);
    client.publish('not/mine', 'x', { qos: 2, packetId: 9 });
    expect((await client.take('pubrec')).reasonCode).toBeGreaterThanOrEqual(0x80);
    client.publish('not/mine', 'x', { qos: 1, packetId: 10 });
    expect((await client.take('puback')).reasonCode).toBeGreaterThanOrEqual(0x80);
    await leave(client);
  });
});

describe.each(BOTH)('QoS to a client, level %i', (version) => {
  it('[3.1.1 MQTT-2.3.1-1, MQTT-2.3.1-4, MQTT-2.3.1-5, MQTT-4.3.1-1, MQTT-4.3.2-1, MQTT-4.3.3-1, MQTT-3.3.1-2, MQTT-3.3.1-3] [5 MQTT-2.2.1-2, MQTT-2.2.1-4, MQTT-4.3.1-1, MQTT-4.3.2-1, MQTT-4.3.2-2, MQTT-4.3.3-1, MQTT-4.3.3-2, MQTT-3.3.1-2, MQTT-3.3.1-3] has an unused identifier above QoS 0, and DUP 0 whatever the publisher had', async () => {
    const client = await enter(server, 'receiver', {}, version);
    await client.subscribe('ids', { qos: 2 });
    sender.publish('ids', '0');
    const used = new Set<number>();
    const first = await client.take('publish');
    expect([first.packetId, first.dup]).toEqual([undefined, false]);
    for (let round = 1; round <= 10; round++) {
      sender.publish('ids', 'x', { qos: 1, packetId: round, dup: true });
      await sender.take('puback');
      const { packetId = 0, dup } = await client.take('publish');
      expect(packetId).toBeGreaterThan(0);
      expect(used.has(packetId)).toBe(false);
      expect(dup).toBe(false);
      used.add(packetId);
    }
    await leave(client);
  });

  it('[3.1.1 MQTT-4.4.0-1, MQTT-3.3.1-1, MQTT-2.3.1-4, MQTT-4.6.0-1] [5 MQTT-4.4.0-1, MQTT-3.3.1-1, MQTT-4.3.2-3, MQTT-4.3.3-3, MQTT-4.6.0-1] is sent again on the next connection with DUP, its identifier and in order, and at no other time', async () => {
    const client = await enter(server, 'resend', keptIn(version), version);
    await client.subscribe('resend', { qos: 2 });
    for (const [payload, qos] of [
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ] as const) {
      await publishWhole(sender, 'resend', payload, qos);
    }
    const sent: Publish[] = [];
    while (sent.length < 3) sent.push(await client.take('publish'));
    expect(await client.heard()).toEqual([]);
    await client.vanish();
    const back = await enter(server, 'resend', keptIn(version), version);
    for (const { packetId, payload } of sent) {
      const again = await receiveWhole(back);
      expect([again.packetId, again.dup, textOf(again)]).toEqual([packetId, true, textOf({ payload })]);
    }
    await leave(back);
    await leave(await enter(server, 'resend', { cleanStart: true }, version));
  });

  it('[3.1.1 MQTT-4.3.3-1, MQTT-4.6.0-4] [5 MQTT-4.3.3-4, MQTT-4.3.3-5, MQTT-4.3.3-6, MQTT-3.6.2-1, MQTT-4.6.0-4] 2: after PUBREC only PUBREL is sent, and again until PUBCOMP', async () => {
    const client = await enter(server, 'release', keptIn(version), version);
    await client.subscribe('release', { qos: 2 });
    await publishWhole(sender, 'release', 'x', 2);
    const { packetId = 0 } = await client.take('publish');
    client.send({ type: 'pubrec', packetId, reasonCode: 0 });
    expect(await client.take('pubrel')).toMatchObject({ packetId, reasonCode: 0 });
    await client.vanish();
    const back = await enter(server, 'release', keptIn(version), version);
    expect(await back.take('pubrel')).toMatchObject({ packetId });
    back.send({ type: 'pubcomp', packetId, reasonCode: 0 });
    expect(await back.heard()).toEqual([]);
    await leave(back);
    const last = await enter(server, 'release', keptIn(version), version);
    await last.settled();
    expect(last.packets).toEqual([]);
    await leave(last);
    await leave(await enter(server, 'release', { cleanStart: true }, version));
  });

  it('[3.1.1 MQTT-4.6.0-5, MQTT-4.6.0-6] [5 MQTT-4.6.0-5, MQTT-4.6.0-6] keeps the order of each topic and QoS', async () => {
    const client = await enter(server, 'order', {}, version);
    await client.subscribe('order/#', { qos: 2 });
    const numbers = Array.from({ length: 30 }, (_, index) => String(index));
    for (const number of numbers) await publishWhole(sender, 'order/a', number, Number(number) % 2 === 0 ? 1 : 2);
    const heard: string[] = [];
    while (heard.length < numbers.length) heard.push(textOf(await receiveWhole(client)));
    expect(heard).toEqual(numbers);
    await leave(client);
  });
});

describe.each(BOTH)('retained messages, level %i', (version) => {
  it('[3.1.1 MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-8, MQTT-3.3.1-9, MQTT-3.3.1-12] [5 MQTT-3.3.1-5, MQTT-3.3.1-8, MQTT-3.3.1-12] are the last of their topic that was to be kept, with its QoS', async () => {
    const client = await enter(server, 'keeper', {}, version);
    await client.subscribe('keep/#', { qos: 1 });
    client.publish('keep/a', 'first', { retain: true });
    client.publish('keep/a', 'last', { retain: true, qos: 1, packetId: 1 });
    client.publish('keep/a', 'passing');
    await client.take('puback');
    for (const payload of ['first', 'last', 'passing']) {
      const message = await receiveWhole(client);
      expect([textOf(message), message.retain]).toEqual([payload, false]);
    }
    const late = await enter(server, 'late', {}, version);
    await late.subscribe('keep/a', { qos: 2 });
    expect(await receiveWhole(late)).toMatchObject({ retain: true, qos: 1 });
    await forgetRetained(client, 'keep/a');
    await Promise.all([leave(client), leave(late)]);
  });

  it('[3.1.1 MQTT-3.3.1-7, MQTT-3.3.1-10, MQTT-3.3.1-11] [5 MQTT-3.3.1-6, MQTT-3.3.1-7] are removed by an empty one, which is delivered and not kept', async () => {
    const client = await enter(server, 'remover', {}, version);
    await client.subscribe('remove/a');
    client.publish('remove/a', 'x', { retain: true });
    client.publish('remove/a', '', { retain: true });
    expect(await client.heard()).toEqual(['remove/a x', 'remove/a ']);
    const late = await enter(server, 'late', {}, version);
    await late.subscribe('remove/#');
    expect(await late.heard()).toEqual([]);
    await Promise.all([leave(client), leave(late)]);
  });
});

describe('properties of a message', () => {
  const everything = {
    payloadFormatIndicator: 1,
    contentType: 'text/plain',
    responseTopic: 'answers/here',
    correlationData: Buffer.from([0, 255, 1]),
    userProperties: [
      ['z', '1'],
      ['a', '2'],
      ['z', ''],
      ['a', '2'],
    ],
  } as const;

  it('[5 MQTT-3.3.2-4, MQTT-3.3.2-13, MQTT-3.3.2-15, MQTT-3.3.2-16, MQTT-3.3.2-17, MQTT-3.3.2-18, MQTT-3.3.2-19, MQTT-3.3.2-20, MQTT-1.5.7-1] reach each subscriber unaltered, at once, queued and retained', async () => {
    const now = await enter(server, 'now');
    await now.subscribe('whole', { qos: 1 });
    const absent = await enter(server, 'absent', KEPT);
    await absent.subscribe('whole', { qos: 1 });
    await leave(absent);
    sender.publish('whole', 'text', { qos: 1, retain: true, properties: everything });
    await sender.take('puback');
    const late = await enter(server, 'late');
    await late.subscribe('whole', { qos: 1 });
    const back = await enter(server, 'absent', KEPT);
    for (const client of [now, late, back]) {
      const { properties } = await receiveWhole(client);
      expect({ ...properties, correlationData: Buffer.from(properties!.correlationData!) }).toEqual(everything);
    }
    await forgetRetained(sender, 'whole');
    await Promise.all([leave(now), leave(late), leave(back)]);
    await leave(await enter(server, 'absent'));
  });

  it('[5 MQTT-2.2.2-1, MQTT-3.1.2-27] are none where there were none, and nothing below 5', async () => {
    const five = await enter(server, 'five');
    const four = await enter(server, 'four', {}, 4);
    await Promise.all([five.subscribe('bare'), four.subscribe('bare')]);
    sender.publish('bare', 'x', { properties: { ...everything, payloadFormatIndicator: 1 } });
    expect((await four.take('publish')).properties).toBeUndefined();
    await five.take('publish');
    sender.publish('bare', 'x');
    expect((await five.take('publish')).properties).toBeUndefined();
    await Promise.all([leave(five), leave(four)]);
  });

  it('[5 MQTT-3.3.2-5, MQTT-3.3.2-6, MQTT-4.3.3-7] message expiry: counted down while it waits, and then the message goes', async () => {
    const absent = await enter(server, 'waiting', KEPT);
    await absent.subscribe('expiring/#', { qos: 1 });
    await leave(absent);
    for (const [topic, seconds] of [
      ['expiring/soon', 1],
      ['expiring/late', 100],
    ] as const) {
      sender.publish(topic, 'x', { qos: 1, properties: { messageExpiryInterval: seconds } });
      await sender.take('puback');
    }
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const back = await enter(server, 'waiting', KEPT);
    const message = await receiveWhole(back);
    expect(message.topic).toBe('expiring/late');
    expect(message.properties?.messageExpiryInterval).toBeLessThanOrEqual(98);
    expect(await back.heard()).toEqual([]);
    await leave(back);
    await leave(await enter(server, 'waiting'));
  });

  it('(section 3.3.2.3.2) payload format: what is not what it says it is, is refused with 0x99', async () => {
    const client = await enter(server, 'garbler');
    const bad = { properties: { payloadFormatIndicator: 1 }, payload: Buffer.of(0xc3, 0x28) } as const;
    const packet = { type: 'publish', topic: 'garbled', retain: false, dup: false, ...bad } as const;
    client.send({ ...packet, qos: 1, packetId: 1 });
    expect((await client.take('puback')).reasonCode).toBe(0x99);
    client.send({ ...packet, qos: 2, packetId: 2 });
    expect((await client.take('pubrec')).reasonCode).toBe(0x99);
    client.send({ ...packet, qos: 0, properties: { payloadFormatIndicator: 0 } });
    expect(await client.settled()).toBe(true);
    client.send({ ...packet, qos: 0 });
    expect((await client.take('disconnect')).reasonCode).toBe(0x99);
  });
});

describe('topic aliases', () => {
  it('[5 MQTT-3.3.2-12, MQTT-3.3.2-7] of a client are taken up to the maximum, and end with the connection', async () => {
    const witness = await enter(server, 'witness');
    await witness.subscribe('alias/#');
    const { client, welcome } = await join(server, 'aliaser');
    expect(welcome.properties?.topicAliasMaximum).toBe(5);
    for (let alias = 1; alias <= 5; alias++)
      client.publish(`alias/${alias}`, 'set', { properties: { topicAlias: alias } });
    for (let alias = 1; alias <= 5; alias++) client.publish('', 'used', { properties: { topicAlias: alias } });
    await client.settled();
    const heard = await witness.heard();
    expect(heard.filter((line) => line.endsWith('used'))).toEqual([1, 2, 3, 4, 5].map((n) => `alias/${n} used`));
    await leave(client);
    const again = await enter(server, 'aliaser');
    again.publish('', 'stale', { properties: { topicAlias: 1 } });
    expect((await again.take('disconnect')).reasonCode).toBe(0x82);
    expect(await witness.heard()).toEqual([]);
    await leave(witness);
  });

  it('[5 MQTT-3.3.2-9, MQTT-3.2.2-17] of a client above the maximum end the connection', async () => {
    const client = await enter(server, 'aliaser');
    client.publish('alias/6', 'x', { properties: { topicAlias: 6 } });
    expect((await client.take('disconnect')).reasonCode).toBe(0x94);
  });

  it('[5 MQTT-3.2.2-18] of a client end the connection where the server takes none', async () => {
    const strict = await laboratory({ 'limits.topicAliasMaximum': 0 });
    try {
      const { client, welcome } = await join(strict, 'aliaser', { properties: { topicAliasMaximum: 9 } });
      expect(welcome.properties?.topicAliasMaximum ?? 0).toBe(0);
      client.publish('alias/1', 'x', { properties: { topicAlias: 1 } });
      expect((await client.take('disconnect')).reasonCode).toBe(0x94);
    } finally {
      await strict.close();
    }
  });

  it('[5 MQTT-3.1.2-26, MQTT-3.3.2-11] of the server: told with the name, then alone, at every QoS, never above the maximum', async () => {
    const client = await enter(server, 'short-names', { properties: { topicAliasMaximum: 2 } });
    await client.subscribe('names/#', { qos: 2 });
    const seen: [string, number | undefined][] = [];
    for (const [topic, qos] of [
      ['names/a', 0],
      ['names/a', 1],
      ['names/b', 2],
      ['names/a', 2],
      ['names/b', 0],
      ['names/c', 1],
      ['names/c', 1],
    ] as const) {
      if (qos === 0) sender.publish(topic, 'x');
      else await publishWhole(sender, topic, 'x', qos);
      const message = await receiveWhole(client);
      expect(textOf(message)).toBe('x');
      seen.push([message.topic, message.properties?.topicAlias]);
    }
    expect(seen).toEqual([
      ['names/a', 1],
      ['', 1],
      ['names/b', 2],
      ['', 1],
      ['', 2],
      ['names/c', undefined],
      ['names/c', undefined],
    ]);
    await leave(client);
  });

  it('[5 MQTT-3.1.2-27] of the server: none where the client takes none', async () => {
    const client = await enter(server, 'long-names');
    await client.subscribe('names/#');
    for (let round = 0; round < 3; round++) {
      sender.publish('names/long', 'x');
      const message = await client.take('publish');
      expect([message.topic, message.properties]).toEqual(['names/long', undefined]);
    }
    await leave(client);
  });
});

describe('flow control', () => {
  it('[5 MQTT-3.3.4-7, MQTT-4.9.0-1] a client that has more unfinished than it may is disconnected with 0x93', async () => {
    const { client, welcome } = await join(server, 'flood');
    expect(welcome.properties?.receiveMaximum).toBe(20);
    for (let packetId = 1; packetId <= 21; packetId++) client.publish('flood', 'x', { qos: 2, packetId });
    expect((await client.take('disconnect')).reasonCode).toBe(0x93);
    expect(client.packets.filter(({ type }) => type === 'pubrec')).toHaveLength(20);
  });

  it('[5 MQTT-3.3.4-9, MQTT-4.9.0-2, MQTT-3.3.4-10, MQTT-4.9.0-3] a client has never more unfinished than it takes, and everything else goes on', async () => {
    const client = await enter(server, 'narrow', { properties: { receiveMaximum: 2 } });
    await client.subscribe('narrow', { qos: 2 });
    for (let round = 0; round < 6; round++)
      await publishWhole(sender, 'narrow', String(round), round % 2 === 0 ? 1 : 2);
    const first = await client.take('publish');
    const second = await client.take('publish');
    sender.publish('narrow', 'at QoS 0');
    await sender.settled();
    const passing = await client.take('publish');
    expect([textOf(passing), passing.qos]).toEqual(['at QoS 0', 0]);
    expect(await client.subscribe('something/else')).toBe(0);
    expect(await client.heard()).toEqual([]);
    client.send({ type: 'puback', packetId: first.packetId!, reasonCode: 0 });
    expect(textOf(await client.take('publish'))).toBe('2');
    client.send({ type: 'pubrec', packetId: second.packetId!, reasonCode: 0 });
    await client.take('pubrel');
    expect(await client.heard()).toEqual([]);
    client.send({ type: 'pubcomp', packetId: second.packetId!, reasonCode: 0 });
    expect(textOf(await client.take('publish'))).toBe('3');
    await leave(client);
  });

  it('[5 MQTT-4.4.0-2] a message that the client refuses is finished', async () => {
    const client = await enter(server, 'refuses', {
      ...KEPT,
      properties: { sessionExpiryInterval: 60, receiveMaximum: 1 },
    });
    await client.subscribe('refuse', { qos: 2 });
    for (const payload of ['a', 'b']) await publishWhole(sender, 'refuse', payload, 2);
    const { packetId = 0 } = await client.take('publish');
    client.send({ type: 'pubrec', packetId, reasonCode: 0x97 });
    const next = await client.take('publish');
    expect(textOf(next)).toBe('b');
    await client.vanish();
    const back = await enter(server, 'refuses', KEPT);
    expect(textOf(await receiveWhole(back))).toBe('b');
    expect(await back.heard()).toEqual([]);
    await leave(back);
    await leave(await enter(server, 'refuses'));
  });

  it('[5 MQTT-3.1.2-24, MQTT-3.1.2-25, MQTT-3.4.2-2, MQTT-3.4.2-3] packets larger than the client takes are left out as if they had been sent', async () => {
    const client = await enter(server, 'small', { properties: { maximumPacketSize: 64, receiveMaximum: 1 } });
    await client.subscribe('small', { qos: 1 });
    await publishWhole(sender, 'small', 'x'.repeat(100), 1);
    await publishWhole(sender, 'small', 'fits', 1);
    const message = await client.take('publish');
    expect(textOf(message)).toBe('fits');
    expect(encode(message, 5).length).toBeLessThanOrEqual(64);
    await leave(client);
  });

  it('[5 MQTT-3.2.2-15] packets larger than the server takes end the connection with 0x95', async () => {
    const { client, welcome } = await join(server, 'large');
    const most = welcome.properties?.maximumPacketSize ?? 0;
    client.raw(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    expect(most).toBeGreaterThan(0);
    expect((await client.take('disconnect')).reasonCode).toBe(0x95);
  });
});

describe('reasons', () => {
  it('[5 MQTT-3.1.2-29] are told only with CONNACK and DISCONNECT where the client wants no problem information', async () => {
    const login = { properties: { requestProblemInformation: false } };
    const client = await enter(server, 'terse', login);
    const codes = await subscribeAll(client, [{ filter: '$SharedSubscription/a/b' }]);
    expect(codes).toEqual([0x9e]);
    client.send({
      type: 'publish',
      topic: 'x',
      payload: Buffer.of(0xff),
      qos: 1,
      packetId: 1,
      retain: false,
      dup: false,
      properties: { payloadFormatIndicator: 1 },
    });
    expect((await client.take('puback')).properties).toBeUndefined();
    await leave(client);
  });

  it('[5 MQTT-3.5.2-2, MQTT-3.5.2-3, MQTT-3.9.2-1, MQTT-3.9.2-2, MQTT-3.14.2-3, MQTT-3.14.2-4] are left out where they would make a packet too large', async () => {
    const client = await enter(server, 'tiny', { properties: { maximumPacketSize: 64 } });
    client.send({ type: 'subscribe', packetId: 1, subscriptions: [line('$SharedSubscription/a/b')] });
    const packet = { type: 'publish', topic: 'x', payload: Buffer.of(0xff), retain: false, dup: false } as const;
    client.send({ ...packet, qos: 2, packetId: 1, properties: { payloadFormatIndicator: 1 } });
    client.send({ ...packet, qos: 0, properties: { payloadFormatIndicator: 1 } });
    await client.gone;
    expect(client.packets.map(({ type }) => type)).toEqual(['suback', 'pubrec', 'disconnect']);
    for (const told of client.packets) expect(encode(told, 5).length).toBeLessThanOrEqual(64);
  });

  it('[5 MQTT-3.6.2-2, MQTT-3.6.2-3, MQTT-3.7.2-2, MQTT-3.7.2-3, MQTT-3.11.2-1, MQTT-3.11.2-2] do not come with PUBREL, PUBCOMP and UNSUBACK at all', async () => {
    const client = await enter(server, 'unknown');
    client.send({ type: 'pubrec', packetId: 99, reasonCode: 0 });
    expect(await client.take('pubrel')).toEqual({ type: 'pubrel', packetId: 99, reasonCode: 0x92 });
    client.send({ type: 'pubrel', packetId: 98, reasonCode: 0 });
    expect(await client.take('pubcomp')).toEqual({ type: 'pubcomp', packetId: 98, reasonCode: 0x92 });
    client.send({ type: 'unsubscribe', packetId: 97, filters: ['never'] });
    expect(await client.take('unsuback')).toEqual({ type: 'unsuback', packetId: 97, reasonCodes: [0x11] });
    await leave(client);
  });
});

function line(filter: string) {
  return { filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
}
