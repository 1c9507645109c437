import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApplicationProtection, connectApplication, type DeviceRefusal, type Event } from '@sallyport/application';
import {
  type Command,
  type CommandVerdict,
  connectDevice,
  type ProtectionOptions,
  sealedStore,
} from '@sallyport/device';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { arrivals, newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

const DESK = 'application:demo/desk';
const PUMP = 'device:demo/pump/pump-7';
const pump7 = { type: 'pump', id: 'pump-7' };

let server: TestServer;
let folder: string;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-device-'));
});
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
async function application(id: string, protection: Partial<ApplicationProtection> = {}) {
  const identity = protection.identity ?? (await newIdentity(server, `application:demo/${id}`)).identity;
  const token = server.tokens[id] ?? '';
  const client = await connectApplication({
    ...place(),
    id,
    key: server.keys[id] ?? '',
    token,
    protection: { ...protection, identity },
  });
  opened.push(client);
  return client;
}
async function device(protection: ProtectionOptions) {
  const client = await connectDevice({ ...place(), ...pump7, token: server.tokens['pump-7'] ?? '', protection });
  opened.push(client);
  const verdicts = arrivals<CommandVerdict>();
  const commands = arrivals<Command>();
  client.onVerdict((verdict) => {
    if (verdict.outcome !== 'introduced') verdicts.put(verdict);
  });
  await client.onCommand('+', (command) => commands.put(command));
  return { client, verdicts, commands };
}

describe('signed commands', () => {
  it.each(['cose', 'json'] as const)('reach the device that listens to their application, in %s', async (encoding) => {
    const pump = await device({ applications: [{ application: 'desk', commands: ['restart'] }] });
    const desk = await application('desk', { encoding });
    await desk.sendCommand(pump7, 'restart', { delay: 5 });
    expect(await pump.commands.next()).toEqual({
      name: 'restart',
      format: 'json',
      payload: { delay: 5 },
      application: DESK,
    });
    await desk.sendCommand(pump7, 'restart', new Uint8Array([0, 255]));
    expect(await pump.commands.next()).toMatchObject({ format: 'bin', payload: new Uint8Array([0, 255]) });
  });

  it('are taken from the application that came first where a device says so, and from no other', async () => {
    const store = sealedStore({ file: join(folder, 'first-use'), secret: new Uint8Array(32).fill(7) });
    const pump = await device({ firstUse: ['+'], store });
    const desk = await application('desk');
    const tap = await application('tap');
    await desk.sendCommand(pump7, 'blink', 1);
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'valid', command: { application: DESK } });
    await tap.sendCommand(pump7, 'blink', 2);
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'not_introduced' });
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'invalid', reason: 'unknown_key' });
    // The device starts anew: it still knows.
    await opened.shift()?.close();
    const again = await device({ firstUse: ['+'], store });
    await tap.sendCommand(pump7, 'blink', 3);
    expect(await again.verdicts.next()).toMatchObject({ outcome: 'invalid', reason: 'unknown_key' });
    await desk.sendCommand(pump7, 'blink', 4);
    expect(await again.verdicts.next()).toMatchObject({ outcome: 'valid' });
  });

  it('give each application the commands that it may send, and answer the others with a signed refusal', async () => {
    const { identity } = await newIdentity(server, PUMP);
    const pump = await device({
      identity,
      applications: [
        { application: 'desk', commands: ['+'] },
        { application: 'tap', commands: ['blink'] },
      ],
    });
    const tap = await application('tap');
    const refusals = arrivals<DeviceRefusal>();
    tap.onRefusal((refusal) => refusals.put(refusal));
    await tap.sendCommand(pump7, 'blink', 1);
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'valid', name: 'blink' });
    const { message } = await tap.sendCommand(pump7, 'restart', 1);
    expect(await pump.verdicts.next()).toMatchObject({ reason: 'not_permitted', application: 'application:demo/tap' });
    expect(await refusals.next()).toMatchObject({ from: pump7, device: PUMP, reason: 'not_permitted', message });
    expect(pump.commands.all).toHaveLength(1);
  });

  it('survive a change of keys: old and new overlap, a revoked one ends', async () => {
    const pump = await device({ applications: [{ application: 'desk', commands: ['+'] }] });
    const old = await newIdentity(server, DESK, { algorithm: 'ES256' });
    const before = await application('desk', { identity: old.identity });
    await before.sendCommand(pump7, 'blink', 1);
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'valid' });
    const next = await newIdentity(server, DESK, { previous: old.file, overlap: '7d' });
    expect(next.file.keys).toHaveLength(2);
    await before.sendCommand(pump7, 'blink', 2);
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'valid' });
    await before.close();
    await server.api.identities.revoke('demo', old.file.keys[0]?.keyId ?? '');
    const last = await newIdentity(server, DESK, { previous: next.file });
    expect(last.file.keys).toHaveLength(2);
    const after = await application('desk', { identity: last.identity });
    await after.sendCommand(pump7, 'blink', 3);
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'valid' });
    await after.close();
    const thief = await application('desk', { identity: old.identity });
    await thief.sendCommand(pump7, 'blink', 4);
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'not_introduced', detail: 'revoked' });
    expect(await pump.verdicts.next()).toMatchObject({ outcome: 'invalid', reason: 'key_ended' });
  });
});

describe('sealed payloads', () => {
  it.each(['cose', 'json'] as const)(
    'go both ways without anybody between being able to read them, in %s',
    async (encoding) => {
      const { identity } = await newIdentity(server, PUMP);
      const desk = await application('desk', { encoding, sealCommands: true });
      const events = arrivals<Event>();
      await desk.subscribeEvents({}, (event) => events.put(event));
      const wire = arrivals<string>();
      const tap = await connectApplication({
        ...place(),
        id: 'tap',
        key: server.keys.tap ?? '',
        token: server.tokens.tap ?? '',
      });
      opened.push(tap);
      await tap.subscribe('iot-2/type/+/id/+/evt/+/fmt/+', (topic, payload) => {
        if (!topic.includes('sallyport-')) wire.put(Buffer.from(payload).toString('latin1'));
      });
      const pump = await device({
        identity,
        encoding,
        sealedOnly: true,
        applications: [{ application: 'desk', commands: ['+'] }],
        sealEventsFor: ['desk'],
      });
      await desk.sendCommand(pump7, 'secret', { code: 'open sesame' });
      expect(await pump.verdicts.next()).toMatchObject({
        outcome: 'valid',
        command: { sealed: true, application: DESK },
      });
      expect(await pump.commands.next()).toMatchObject({ name: 'secret', payload: { code: 'open sesame' } });
      await pump.client.publishEvent('reading', { level: 'treasure' });
      expect(await events.next()).toMatchObject({
        name: 'reading',
        format: 'json',
        payload: { level: 'treasure' },
        sealed: true,
      });
      expect(await wire.next()).not.toContain('treasure');
      await desk.sendCommand(pump7, 'secret', 1, { seal: false });
      expect(await pump.verdicts.next()).toMatchObject({ outcome: 'invalid', reason: 'not_sealed' });
    },
  );
});
