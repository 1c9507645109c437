import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { field, LABORATORY, packetBytes, RawClient } from './raw-client.ts';

const OWN = 'iot-2/evt/status/fmt/json';
const FOREIGN = 'iot-2/type/pump/id/pump-8/evt/status/fmt/json';

let server: TestServer;
let witness: RawClient;
beforeAll(async () => {
  server = await testServer({ 'limits.topicAliasMaximum': 8 });
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
  witness = await RawClient.open(server, 'lab', { clientId: 'witness' });
  expect(await witness.subscribe('#')).toBe(0);
});
afterAll(() => server.close());

const forged = async () => (await witness.heard()).filter((line) => line.endsWith(' forged'));
const alias = (topicAlias: number) => ({ properties: { topicAlias } });

describe('a device that uses topic aliases', () => {
  it.each([
    ['before it is set', 1, undefined],
    ['above the maximum', 9, OWN],
    ['above the maximum and without a topic', 9, ''],
    ['at the largest number', 65_535, OWN],
  ])('is disconnected for an alias %s', async (_, number, topic = '') => {
    const device = await RawClient.open(server, 'pump-7');
    device.publish(topic, 'forged', alias(number));
    expect(await device.takeOrEnd('disconnect')).toMatchObject({ reasonCode: number > 8 ? 0x94 : 0x82 });
    await device.gone;
    expect(await forged()).toEqual([]);
  });

  it.each([
    ['0', Buffer.of(0x23, 0, 0)],
    ['that is given twice', Buffer.of(0x23, 0, 1, 0x23, 0, 2)],
    ['cut off', Buffer.of(0x23, 0)],
  ])('is disconnected for an alias %s', async (_, properties) => {
    const device = await RawClient.open(server, 'pump-7');
    device.raw(packetBytes(0x30, field(OWN), Buffer.of(properties.length), properties, Buffer.from('forged')));
    await device.gone;
    expect(await forged()).toEqual([]);
  });

  it('is not heard under a foreign name behind an alias, when it is set and when it is used', async () => {
    const device = await RawClient.open(server, 'pump-7');
    for (const topic of [FOREIGN, '', '']) device.publish(topic, 'forged', alias(1));
    device.publish('', 'forged', { qos: 1, ...alias(1) });
    expect(await device.take('puback')).toMatchObject({ reasonCode: expect.toSatisfy((code: number) => code >= 0x80) });
    expect(await forged()).toEqual([]);
    await device.vanish();
  });

  it('gains nothing by setting an alias anew, from its own name to a foreign one', async () => {
    const device = await RawClient.open(server, 'pump-7');
    device.publish(OWN, 'mine', alias(1));
    device.publish('', 'mine', alias(1));
    device.publish(FOREIGN, 'forged', alias(1));
    device.publish('', 'forged', alias(1));
    await device.settled();
    const heard = await witness.heard();
    expect(heard.filter((line) => line.endsWith(' mine'))).toHaveLength(2);
    expect(heard.filter((line) => line.endsWith(' forged'))).toEqual([]);
    await device.vanish();
  });

  it('does not reach the alias of an earlier connection of the same session, nor of another client', async () => {
    const more = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
    const first = await RawClient.open(server, 'pump-7', more);
    first.publish(OWN, 'first', alias(3));
    await first.settled();
    const other = await RawClient.open(server, 'pump-8');
    other.publish('', 'forged', alias(3));
    expect(await other.take('disconnect')).toMatchObject({ reasonCode: 0x82 });
    const second = await RawClient.open(server, 'pump-7', more);
    second.publish('', 'forged', alias(3));
    expect(await second.take('disconnect')).toMatchObject({ reasonCode: 0x82 });
    expect(await forged()).toEqual([]);
  });

  it('loses what an alias stands for when a policy takes it away', async () => {
    const device = await RawClient.open(server, 'pump-7');
    device.publish(OWN, 'allowed', alias(2));
    await device.settled();
    const deny = { id: 'deny', effect: 'deny', principals: ['device:*'], actions: ['publish'], resources: ['#'] };
    const text = JSON.stringify({ statements: [...JSON.parse(LABORATORY).statements, deny] });
    await server.server.registry.policies.put({ organisation: 'demo', text, by: 'system' });
    device.publish('', 'forged', { qos: 1, ...alias(2) });
    expect(await device.take('puback')).toMatchObject({ reasonCode: 0x87 });
    expect(await forged()).toEqual([]);
    await device.vanish();
  });
});

it('a client of version 3.1.1 has no aliases: the bytes of one are payload', async () => {
  const device = await RawClient.open(server, 'pump-7', {}, 4);
  device.raw(packetBytes(0x30, field(''), Buffer.of(3, 0x23, 0, 1), Buffer.from('forged')));
  await device.gone;
  expect(await forged()).toEqual([]);
});
