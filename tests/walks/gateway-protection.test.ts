import { connectApplication, type Event } from '@sallyport/application';
import { type AttachedCommand, connectGateway, memoryStore, type ProtectAttached, Protection } from '@sallyport/device';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { arrivals, newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

/*
 * Signed commands and sealed payloads for devices behind a gateway: the gateway holds their keys, or passes on what it cannot read.
 */

const pump7 = { type: 'pump', id: 'pump-7' };
const pump8 = { type: 'pump', id: 'pump-8' };
const LISTENS = [{ application: 'desk', commands: ['restart'] }];

let server: TestServer;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  server = await testServer();
});
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close();
});
afterAll(() => server.close());

const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
async function desk() {
  const { identity } = await newIdentity(server, 'application:demo/desk');
  const keys = { key: server.keys.desk ?? '', token: server.tokens.desk ?? '' };
  const client = await connectApplication({ ...place(), id: 'desk', ...keys, protection: { identity } });
  opened.push(client);
  return client;
}
async function gateway(protection?: ProtectAttached) {
  const hub = { type: 'hub', id: 'hub-1', token: server.tokens['hub-1'] ?? '' };
  const client = await connectGateway({ ...place(), ...hub, ...(protection && { protection }) });
  opened.push(client);
  const commands = arrivals<AttachedCommand>();
  await client.onCommand((command) => commands.put(command));
  return { client, commands };
}

describe('a gateway that holds the keys of a device', () => {
  it('hands over signed and sealed commands of the application, and seals the events of the device for it', async () => {
    const { identity } = await newIdentity(server, 'device:demo/pump/pump-7');
    const hub = await gateway(({ id }) =>
      id === 'pump-7' ? { applications: LISTENS, identity, sealEventsFor: ['desk'] } : undefined,
    );
    const app = await desk();
    const events = arrivals<Event>();
    await app.subscribeEvents(pump7, (event) => events.put(event));
    await app.sendCommand(pump7, 'restart', { delay: 5 });
    const command = { device: pump7, name: 'restart', application: 'application:demo/desk' };
    expect(await hub.commands.next()).toEqual({ ...command, format: 'json', payload: { delay: 5 } });
    await app.sendCommand(pump7, 'restart', { delay: 6 }, { seal: true });
    expect(await hub.commands.next()).toMatchObject({ ...command, payload: { delay: 6 } });
    await hub.client.publishEvent(pump7, 'status', { on: true });
    expect(await events.next()).toMatchObject({ name: 'status', sealed: true, payload: { on: true } });
  });

  it('answers a command that is not followed with a refusal signed as the device', async () => {
    const { identity } = await newIdentity(server, 'device:demo/pump/pump-7');
    const hub = await gateway(() => ({ applications: LISTENS, identity }));
    const verdicts = arrivals<unknown>();
    hub.client.onVerdict((device, verdict) => verdicts.put([device, verdict.outcome]));
    const app = await desk();
    const refusals = arrivals<unknown>();
    app.onRefusal((refusal) => refusals.put(refusal));
    await app.sendCommand(pump7, 'explode', {});
    expect(await refusals.next()).toMatchObject({ from: pump7, reason: 'not_permitted' });
    expect(await verdicts.next()).toEqual([pump7, 'introduced']);
    expect(await verdicts.next()).toEqual([pump7, 'invalid']);
    expect(hub.commands.all).toEqual([]);
  });

  it('guards its own commands, which name it as a gateway', async () => {
    const hubItself = { type: 'hub', id: 'hub-1', kind: 'gateway' } as const;
    const { identity } = await newIdentity(server, 'gateway:demo/hub/hub-1');
    const hub = await gateway(({ type }) => (type === 'hub' ? { applications: LISTENS, identity } : undefined));
    const app = await desk();
    await app.sendCommand(hubItself, 'restart', 1, { seal: true });
    expect(await hub.commands.next()).toMatchObject({ device: { type: 'hub', id: 'hub-1' }, payload: 1 });
  });
});

describe('a gateway that holds no keys', () => {
  it('passes on what it cannot read, both ways, between an application and a device with keys of its own', async () => {
    const { identity } = await newIdentity(server, 'device:demo/pump/pump-8');
    const hub = await gateway();
    // The device behind it, on a wire of its own.
    const send = (name: string, format: string, bytes: Uint8Array) =>
      hub.client.publishEvent(pump8, name, bytes, { format });
    const options = { applications: LISTENS, identity, sealEventsFor: ['desk'], store: memoryStore() };
    const named = { organisation: 'demo', kind: 'device', ...pump8, ca: server.rootFile } as const;
    const device = await Protection.open(options, named, send);
    await device.introduce();

    const app = await desk();
    const events = arrivals<Event>();
    await app.subscribeEvents(pump8, (event) => events.put(event));
    const sent = app.sendCommand(pump8, 'restart', { secret: 'swordfish' }, { seal: true });
    const followed = arrivals<unknown>();
    for (let count = 0; count < 2; count++) {
      const { name, format, payload } = await hub.commands.next();
      expect(Buffer.from(payload as Uint8Array).toString('latin1')).not.toContain('swordfish');
      const command = await device.follow(name, format, payload as Uint8Array, () => {});
      if (command !== undefined) followed.put(JSON.parse(Buffer.from(command.content).toString()));
    }
    expect(await followed.next()).toEqual({ secret: 'swordfish' });
    await sent;
    const sealed = await device.sealed('status', { format: 'json', bytes: Buffer.from('{"on":true}') });
    for (const { format, bytes } of sealed ?? []) await send('status', format, bytes);
    expect(await events.next()).toMatchObject({ device: pump8, sealed: true, payload: { on: true } });
  });
});
