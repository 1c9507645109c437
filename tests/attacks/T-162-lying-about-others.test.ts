import { connectApplication } from '@sallyport/application';
import { type CommandVerdict, connectDevice } from '@sallyport/device';
import { INCIDENT_RULES } from '@sallyport/model';
import { currentKey, type Identity, messageId, signRefusal } from '@sallyport/trust';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { arrivals, newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

const PUMP = 'device:demo/pump/pump-7';
const pump7 = { type: 'pump', id: 'pump-7' };
const REFUSALS = 'iot-2/type/pump/id/pump-7/evt/sallyport-refusal/fmt/jws';
const COMMANDS = 'iot-2/type/pump/id/pump-7/cmd/+/fmt/+';
/** The most that an operator may let the server do by itself. */
const ZEALOUS = Object.fromEntries(INCIDENT_RULES.map((rule) => [`incidents.limits.${rule}`, 'deregister']));

let server: TestServer;
const opened: { close(): Promise<unknown> }[] = [];
beforeEach(async () => {
  server = await testServer({ 'incidents.act': true, ...ZEALOUS });
});
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close();
  await server.close();
});

const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
const incidents = async () => (await server.api.incidents.list()).items;
const causes = async () => (await incidents()).map(({ rule, subject }) => `${rule} ${subject}`).sort();

async function desk() {
  const { identity } = await newIdentity(server, 'application:demo/desk');
  const client = await connectApplication({
    ...place(),
    id: 'desk',
    key: server.keys.desk ?? '',
    token: server.tokens.desk ?? '',
    protection: { identity },
  });
  opened.push(client);
  return client;
}

async function guardedPump(identity: Identity) {
  const client = await connectDevice({
    ...place(),
    ...pump7,
    token: server.tokens['pump-7'] ?? '',
    protection: { identity, applications: [{ application: 'desk', commands: ['+'] }] },
  });
  opened.push(client);
  const verdicts = arrivals<CommandVerdict>();
  client.onVerdict((verdict) => {
    if (verdict.outcome !== 'introduced') verdicts.put(verdict);
  });
  await client.onCommand('+', () => {});
  return { client, verdicts };
}

async function refusalOf(identity: Identity, topic: string, payload: Uint8Array): Promise<string> {
  const key = currentKey(identity, Date.now());
  if (key === undefined) throw new Error('no key');
  const message = await messageId(payload);
  const refusal = { device: PUMP, topic, reason: 'replayed', at: Date.now(), message } as const;
  return Buffer.from(await signRefusal('jws', refusal, key.signer, key.keyId)).toString();
}

it('a device that calls the good commands of an application replayed has nothing held against it', async () => {
  const { identity } = await newIdentity(server, PUMP);
  const application = await desk();
  const pump = await RawClient.open(server, 'pump-7');
  await pump.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 });
  for (let count = 0; count < 5; count++) {
    await application.sendCommand(pump7, 'restart', count);
    let command = await pump.take('publish');
    while (command.topic.includes('sallyport-identity')) command = await pump.take('publish');
    const topic = command.topic.replace('iot-2/', 'iot-2/type/pump/id/pump-7/');
    pump.publish('iot-2/evt/sallyport-refusal/fmt/jws', await refusalOf(identity, topic, command.payload), { qos: 1 });
    await pump.take('puback');
  }
  await expect.poll(causes).toEqual([`refused-command ${PUMP}`]);
  expect((await incidents())[0]).toMatchObject({
    state: 'open',
    timeline: expect.arrayContaining([
      expect.objectContaining({ text: expect.stringContaining('It refused a command of application:demo/desk') }),
    ]),
  });
  await application.sendCommand(pump7, 'restart', 'again');
  expect(await pump.settled()).toBe(true);
});

it('refusals and boot reports that others publish in the name of a device count for nothing', async () => {
  await newIdentity(server, PUMP);
  const { identity: another } = await newIdentity(server, 'device:demo/pump/pump-8');
  const pump = await RawClient.open(server, 'pump-7');
  // Of the role standard: it may publish events in the name of a device.
  const liar = await RawClient.open(server, 'tap');
  const payload = Buffer.from('x');
  for (let count = 0; count < 5; count++) {
    liar.publish(REFUSALS, await refusalOf(another, `iot-2/type/pump/id/pump-7/cmd/c${count}/fmt/jws`, payload));
    liar.publish(
      'iot-2/type/pump/id/pump-7/evt/boot/fmt/json',
      '{"outcome":"stopped","stage":"image","reason":"digest_differs"}',
    );
    const value = { state: 0, updateStatus: 4 };
    liar.publish(
      'iotdevice-1/type/pump/id/pump-7/notify',
      JSON.stringify({ d: { fields: [{ field: 'mgmt.firmware', value }] } }),
    );
  }
  await liar.settled();
  await expect
    .poll(async () => (await server.api.audit({ type: 'firmware.boot' })).items.map(({ by }) => by))
    .toContain('application:demo/tap');
  expect(await causes()).toEqual([]);
  expect(await pump.settled()).toBe(true);
});

it('a device that itself says that its firmware was refused is noted, and contained only as far as its rule may go', async () => {
  const pump = await RawClient.open(server, 'pump-7');
  pump.publish('iot-2/evt/boot/fmt/json', '{"outcome":"rolled-back","stage":"image","reason":"health_check_failed"}');
  await pump.settled();
  expect(await causes()).toEqual([]);
  pump.publish('iot-2/evt/boot/fmt/json', '{"outcome":"stopped","stage":"image","reason":"digest_differs"}');
  await expect.poll(causes).toEqual([`refused-firmware ${PUMP}`]);
  await expect.poll(async () => (await incidents())[0]?.containment).toBe('quarantine');
  expect(await pump.settled()).toBe(true);
});

it('an application that sends the signed command of another once more is contained, and nobody else', async () => {
  const { identity } = await newIdentity(server, PUMP);
  const thief = await RawClient.open(server, 'tap');
  await thief.subscribe(COMMANDS);
  const pump = await guardedPump(identity);
  const application = await desk();
  await application.sendCommand(pump7, 'restart', 1);
  expect(await pump.verdicts.next()).toMatchObject({ outcome: 'valid' });
  let stolen = await thief.take('publish');
  while (stolen.topic.includes('sallyport-identity')) stolen = await thief.take('publish');
  thief.publish(stolen.topic, Buffer.from(stolen.payload) as never, { qos: 1 });
  expect(await pump.verdicts.next()).toMatchObject({ outcome: 'invalid', reason: 'replayed' });
  await expect.poll(causes).toEqual(['replayed-command application:demo/tap']);
  await expect.poll(async () => (await incidents())[0]?.containment).toBe('read-only');
  thief.packets = [];
  thief.publish(stolen.topic, 'x', { qos: 1 });
  expect((await thief.take('puback')).reasonCode).toBe(0x87);
  await application.sendCommand(pump7, 'restart', 2);
  expect(await pump.verdicts.next()).toMatchObject({ outcome: 'valid' });
});
