import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerPublishedIds, connectApplication, type Event, sendPublishedCommand } from '@sallyport/application';
import {
  connectDevice,
  guardByPublishedId,
  type PublishedCommand,
  type PublishedIdOptions,
  type PublishedVerdict,
  readPublishedConfiguration,
} from '@sallyport/device';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { arrivals } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

const pump7 = { type: 'pump', id: 'pump-7' };
const EVENT = 'iot-2/type/pump/id/pump-7/evt/eid/fmt/json';
const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/cid/fmt/json';

let server: TestServer;
let folder: string;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-uid-'));
});
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });

/** A client as somebody has written it by hand: JSON on topics, nothing else. */
async function byHand(clientId: string, username: string, password: string, filter: string) {
  const client = await mqtt.connectAsync({
    protocol: 'mqtts',
    host: server.host,
    port: server.port,
    ca: server.rootPem,
    protocolVersion: 4,
    clientId,
    username,
    password,
    reconnectPeriod: 0,
  });
  const messages = arrivals<Record<string, unknown>>();
  client.on('message', (_topic, payload) => messages.put(JSON.parse(payload.toString()) as Record<string, unknown>));
  await client.subscribeAsync(filter, { qos: 1 });
  const close = () => client.endAsync(true);
  opened.push({ close });
  return {
    messages,
    close,
    say: (topic: string, value: unknown) => client.publishAsync(topic, JSON.stringify(value), { qos: 1 }),
  };
}
const deskByHand = () => byHand('a:demo:desk', server.keys.desk ?? '', server.tokens.desk ?? '', EVENT);
const pumpByHand = () =>
  byHand('d:demo:pump:pump-7', 'use-token-auth', server.tokens['pump-7'] ?? '', 'iot-2/cmd/cid/fmt/json');

async function pump(options: Partial<PublishedIdOptions> = {}) {
  const device = await connectDevice({ ...place(), ...pump7, token: server.tokens['pump-7'] ?? '' });
  opened.push(device);
  const verdicts = arrivals<PublishedVerdict>();
  const followed: PublishedCommand[] = [];
  await guardByPublishedId(device, {
    deviceId: 'pump-7',
    isUIDValidation: true,
    isUIDStorageCapable: false,
    onCommand: (command) => void followed.push(command),
    onVerdict: (verdict) => verdicts.put(verdict),
    ...options,
  });
  return { device, verdicts, followed };
}

describe('the published application ID, with an application written by hand', () => {
  it('is asked for, kept, and compared with every command; a mismatch is ignored and reported', async () => {
    const desk = await deskByHand();
    const tap = await connectApplication({
      ...place(),
      id: 'tap',
      key: server.keys.tap ?? '',
      token: server.tokens.tap ?? '',
    });
    opened.push(tap);
    const reports = arrivals<Event>();
    await tap.subscribeEvents({ event: 'command-ignored' }, (event) => reports.put(event));
    const { verdicts, followed } = await pump();
    expect(await desk.messages.next()).toEqual({ event: 'server_uid_request', deviceId: 'pump-7' });
    await desk.say(COMMAND, { cmd: 'command', text: 'too early', appid: 'desk', uid: 'S0011' });
    expect(await verdicts.next()).toMatchObject({ status: 'Invalid', reason: 'no_id_known' });
    await desk.say(COMMAND, { cmd: 'server_uid_response', uid: 'S0011', appid: 'desk' });
    await desk.say(COMMAND, { cmd: 'command', text: 'Command 1', appid: 'desk', uid: 'S0011' });
    expect(await verdicts.next()).toMatchObject({ status: 'Valid', command: { text: 'Command 1' } });
    await desk.say(COMMAND, { cmd: 'command', text: 'Command 2', appid: 'desk', uid: 'dummy' });
    expect(await verdicts.next()).toMatchObject({ status: 'Invalid', reason: 'wrong_uid' });
    await desk.say(COMMAND, { cmd: 'reset', count: 0, appid: 'desk' });
    expect(await verdicts.next()).toMatchObject({ status: 'Invalid', reason: 'wrong_uid' });
    // Nobody replaces the id afterwards.
    await desk.say(COMMAND, { cmd: 'server_uid_response', uid: 'S6666', appid: 'desk' });
    expect(await verdicts.next()).toMatchObject({ status: 'Invalid', reason: 'not_asked' });
    expect(followed.map(({ text }) => text)).toEqual(['Command 1']);
    const reasons = [];
    for (let i = 0; i < 4; i++) reasons.push((await reports.next()).payload);
    expect(reasons).toMatchObject([
      { reason: 'no_id_known' },
      { reason: 'wrong_uid', cmd: 'command' },
      { reason: 'wrong_uid', cmd: 'reset' },
      { reason: 'not_asked' },
    ]);
  });

  it('is kept sealed where the device has storage, and not asked for again', async () => {
    const storage = { isUIDStorageCapable: true, uidLocation: join(folder, 'uid'), secret: new Uint8Array(32).fill(5) };
    const desk = await deskByHand();
    const before = await pump(storage);
    await desk.messages.next();
    await desk.say(COMMAND, { cmd: 'server_uid_response', uid: 'S0022', appid: 'desk' });
    await desk.say(COMMAND, { cmd: 'command', text: 'x', uid: 'S0022' });
    expect(await before.verdicts.next()).toMatchObject({ status: 'Valid' });
    expect(readFileSync(storage.uidLocation).includes('S0022')).toBe(false);
    await before.device.close();
    const after = await pump(storage);
    await desk.say(COMMAND, { cmd: 'command', text: 'y', uid: 'S0022' });
    expect(await after.verdicts.next()).toMatchObject({ status: 'Valid' });
    expect(desk.messages.all).toHaveLength(1);
  });

  it('is not looked at where it is switched off', async () => {
    const desk = await deskByHand();
    const { verdicts } = await pump({ isUIDValidation: false });
    await desk.say(COMMAND, { cmd: 'command', text: 'x' });
    expect(await verdicts.next()).toMatchObject({ status: 'Valid' });
    expect(desk.messages.all).toHaveLength(0);
  });
});

describe('the published application ID, with a device written by hand', () => {
  it('is answered in the published JSON, and repeated in every command', async () => {
    const desk = await connectApplication({
      ...place(),
      id: 'desk',
      key: server.keys.desk ?? '',
      token: server.tokens.desk ?? '',
    });
    opened.push(desk);
    const id = { appid: 'desk', uid: 'S0033' };
    const now = Date.parse('2018-02-28T09:05:00Z');
    await answerPublishedIds(desk, id, { now: () => now });
    const device = await pumpByHand();
    await device.say('iot-2/evt/eid/fmt/json', { event: 'data', d: { count: 1 } });
    await device.say('iot-2/evt/eid/fmt/json', { event: 'server_uid_request', deviceId: 'pump-7' });
    expect(await device.messages.next()).toEqual({
      cmd: 'server_uid_response',
      uid: 'S0033',
      appid: 'desk',
      time: '2018-02-28 09:05:00',
    });
    await sendPublishedCommand(desk, pump7, { text: 'Command 1' }, id, now);
    expect(await device.messages.next()).toEqual({
      cmd: 'command',
      text: 'Command 1',
      appid: 'desk',
      uid: 'S0033',
      time: '2018-02-28 09:05:00',
    });
  });
});

describe('the payloads of the samples', () => {
  it('go between device and application under the option that names what they are', async () => {
    const insecureSamplePayloads = { key: 'AyanMukhAyanMukh', iv: 'myuniqueivparam1' };
    const desk = await connectApplication({
      ...place(),
      id: 'desk',
      key: server.keys.desk ?? '',
      token: server.tokens.desk ?? '',
      insecureSamplePayloads,
    });
    opened.push(desk);
    const events = arrivals<Event>();
    await desk.subscribeEvents({ event: 'eid' }, (event) => events.put(event));
    const tap = await byHand('a:demo:tap', server.keys.tap ?? '', server.tokens.tap ?? '', EVENT);
    const device = await connectDevice({
      ...place(),
      ...pump7,
      token: server.tokens['pump-7'] ?? '',
      insecureSamplePayloads,
    });
    opened.push(device);
    await device.publishEvent('eid', { d: { count: 1 } });
    expect(await events.next()).toMatchObject({ payload: { d: { count: 1 } } });
    expect(Object.keys(await tap.messages.next()).sort()).toEqual(['chksum', 'd', 'ts']);
  });
});

describe('the configuration of the published device program', () => {
  it('is read with all its switches', () => {
    const text =
      'org=demo\ndeviceid=pump-7\ntoken=s3cret\nisSSL=T\nisUIDValidation = T\r\nisUIDStorageCapable=F\n# uid\nuidLocation=/tmp/uid\n';
    expect(readPublishedConfiguration(text)).toEqual({
      org: 'demo',
      deviceid: 'pump-7',
      token: 's3cret',
      isSSL: true,
      isOTPCapableDevice: false,
      isUIDValidation: true,
      isUIDStorageCapable: false,
      uidLocation: '/tmp/uid',
      otpRetryCount: 2,
      isEncryption: false,
    });
    expect(() => readPublishedConfiguration(text.replace('isSSL=T', 'isSSL=yes'))).toThrow('isSSL');
    expect(() => readPublishedConfiguration('org=demo')).toThrow('deviceid');
  });
});
