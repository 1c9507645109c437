import { connectApplication } from '@sallyport/application';
import { connectDevice } from '@sallyport/device';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

const DESK = 'application:demo/desk';
const PUMP = 'device:demo/pump/pump-7';
const pump7 = { type: 'pump', id: 'pump-7' };
const type = { organisation: 'demo', id: 'pump' };

let server: TestServer;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  server = await testServer();
});
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close();
  await server.api.types.update(type, { commands: null, encryption: null });
});
afterAll(() => server.close());

const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
const key = () => ({ id: 'desk', key: server.keys.desk ?? '', token: server.tokens.desk ?? '' });
const reasonOf = async (attempt: Promise<unknown>) => {
  const refused = (await attempt.then(
    () => ({}),
    (failure: unknown) => failure,
  )) as { ticket?: string };
  return refused.ticket === undefined ? 'taken' : (await server.api.explainTicket(refused.ticket)).reason;
};

describe('a device type that demands sealed payloads', () => {
  it('refuses what is sent in clear in both directions, with its own reason and cure', async () => {
    const plain = await connectApplication({ ...place(), ...key() });
    const device = await connectDevice({ ...place(), ...pump7, token: server.tokens['pump-7'] ?? '' });
    opened.push(plain, device);
    await device.publishEvent('reading', { clear: true });
    await server.api.types.update(type, { encryption: 'required' });
    expect(await reasonOf(device.publishEvent('reading', { clear: true }))).toBe('payload_not_sealed');
    expect(await reasonOf(device.publishEvent('reading', { clear: true }, { format: 'jwe' }))).toBe(
      'payload_not_sealed',
    );
    expect(
      await reasonOf(device.publishEvent('reading', new Uint8Array([0xd0, 0x83]), { format: 'cose-sealed' })),
    ).toBe('payload_not_sealed');
    expect(await reasonOf(plain.sendCommand(pump7, 'restart', { clear: true }))).toBe('payload_not_sealed');
    // The messages about keys are no way around it.
    expect(await reasonOf(device.publishEvent('sallyport-identity', { clear: true }))).toBe('payload_not_sealed');
    await server.api.types.update(type, { encryption: 'optional' });
    expect(await reasonOf(device.publishEvent('reading', { clear: true }))).toBe('taken');
  });

  it('lets sealed messages pass, and the keys that they need', async () => {
    await server.api.types.update(type, { encryption: 'required', commands: 'signed' });
    const desk = await connectApplication({
      ...place(),
      ...key(),
      protection: { identity: (await newIdentity(server, DESK)).identity, sealCommands: true },
    });
    opened.push(desk);
    const device = await connectDevice({
      ...place(),
      ...pump7,
      token: server.tokens['pump-7'] ?? '',
      protection: { identity: (await newIdentity(server, PUMP)).identity, firstUse: ['+'], sealEventsFor: ['desk'] },
    });
    opened.push(device);
    const event = new Promise((resolve) => void desk.subscribeEvents({}, resolve));
    const command = new Promise((resolve) => void device.onCommand('+', resolve));
    await desk.sendCommand(pump7, 'restart', { delay: 5 });
    expect(await command).toMatchObject({ payload: { delay: 5 } });
    await device.publishEvent('reading', { level: 1 });
    expect(await event).toMatchObject({ payload: { level: 1 }, sealed: true });
    await server.api.types.update(type, { encryption: 'off' });
    expect(await reasonOf(device.publishEvent('reading', { level: 2 }))).toBe('payload_sealed');
  });

  it('keeps no will that would speak in clear', async () => {
    await server.api.types.update(type, { encryption: 'required' });
    const client = await mqtt.connectAsync({
      protocol: 'mqtts',
      host: server.host,
      port: server.port,
      ca: server.rootPem,
      protocolVersion: 5,
      clientId: 'd:demo:pump:pump-7',
      username: 'use-token-auth',
      password: server.tokens['pump-7'] ?? '',
      will: { topic: 'iot-2/evt/gone/fmt/json', payload: Buffer.from('{"clear":true}'), qos: 1, retain: false },
    });
    const { items } = await server.api.refusals({ principal: PUMP });
    expect(items[0]).toMatchObject({ action: 'will', reason: 'payload_not_sealed' });
    await client.endAsync(true);
  });
});

describe('a device type that demands signed commands', () => {
  it('refuses others, whatever their format says', async () => {
    await server.api.types.update(type, { commands: 'signed' });
    const plain = await connectApplication({ ...place(), ...key() });
    opened.push(plain);
    expect(await reasonOf(plain.sendCommand(pump7, 'restart', { clear: true }))).toBe('command_not_signed');
    expect(await reasonOf(plain.sendCommand(pump7, 'restart', { clear: true }, { format: 'jws' }))).toBe(
      'command_not_signed',
    );
    await plain.close();
    const { identity } = await newIdentity(server, DESK);
    const desk = await connectApplication({ ...place(), ...key(), protection: { identity } });
    opened.push(desk);
    expect(await reasonOf(desk.sendCommand(pump7, 'restart', { clear: true }))).toBe('taken');
  });

  it('demands the published id where a type says "uid"', async () => {
    await server.api.types.update(type, { commands: 'uid' });
    const plain = await connectApplication({ ...place(), ...key() });
    opened.push(plain);
    const send = (payload: unknown) => plain.sendCommand(pump7, 'cid', payload);
    expect(await reasonOf(send({ cmd: 'command', text: 'x' }))).toBe('command_without_uid');
    expect(await reasonOf(send({ cmd: 'command', text: 'x', uid: 'S1' }))).toBe('taken');
    expect(await reasonOf(send({ cmd: 'server_uid_response', uid: 'S1', appid: 'desk' }))).toBe('taken');
    expect(await reasonOf(send(new Uint8Array([1])))).toBe('command_without_uid');
  });
});
