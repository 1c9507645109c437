import { connectApplication } from '@sallyport/application';
import { type Attached, connectGateway, type ProtectAttached } from '@sallyport/device';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { arrivals, newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

const pump7 = { type: 'pump', id: 'pump-7' };
const pump8 = { type: 'pump', id: 'pump-8' };

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
async function hub(protection: ProtectAttached) {
  const token = server.tokens['hub-1'] ?? '';
  const client = await connectGateway({ ...place(), type: 'hub', id: 'hub-1', token, protection });
  opened.push(client);
  const commands: unknown[] = [];
  const verdicts = arrivals<{ device: Attached; outcome: string; reason?: string }>();
  client.onVerdict((device, verdict) => {
    if (verdict.outcome === 'introduced') return;
    verdicts.put({ device, outcome: verdict.outcome, ...('reason' in verdict && { reason: verdict.reason }) });
  });
  await client.onCommand((command) => void commands.push(command));
  return { client, commands, verdicts };
}
async function desk() {
  const { identity } = await newIdentity(server, 'application:demo/desk');
  const keys = { key: server.keys.desk ?? '', token: server.tokens.desk ?? '' };
  const client = await connectApplication({ ...place(), id: 'desk', ...keys, protection: { identity } });
  opened.push(client);
  return client;
}
const listens = { applications: [{ application: 'desk', commands: ['+'] }] };

describe('a device behind a gateway', () => {
  it('gets no command that was signed for its neighbour, none in clear, and none twice', async () => {
    const { commands, verdicts } = await hub(() => listens);
    const app = await desk();
    const overheard = arrivals<Uint8Array>();
    await app.subscribe('iot-2/type/pump/id/pump-7/cmd/restart/fmt/cose', (_topic, bytes) => overheard.put(bytes));
    await app.sendCommand(pump7, 'restart', 1);
    expect(await verdicts.next()).toMatchObject({ device: pump7, outcome: 'valid' });
    const copy = await overheard.next();
    // The neighbour knows the application too.
    await app.sendCommand(pump8, 'restart', 2);
    expect(await verdicts.next()).toMatchObject({ device: pump8, outcome: 'valid' });
    await app.publish('iot-2/type/pump/id/pump-8/cmd/restart/fmt/cose', copy);
    expect(await verdicts.next()).toEqual({ device: pump8, outcome: 'invalid', reason: 'wrong_device' });
    await app.publish('iot-2/type/pump/id/pump-7/cmd/restart/fmt/cose', copy);
    expect(await verdicts.next()).toMatchObject({ device: pump7, outcome: 'invalid' });
    await app.publish('iot-2/type/pump/id/pump-7/cmd/restart/fmt/json', Buffer.from('1'));
    expect(await verdicts.next()).toEqual({ device: pump7, outcome: 'invalid', reason: 'unsigned' });
    expect(commands).toHaveLength(2);
  });

  it('says nothing in clear, and is told nothing, when its keys cannot be used', async () => {
    const { identity } = await newIdentity(server, 'device:demo/pump/pump-8');
    // The identity of another device.
    const { client, commands } = await hub(() => ({ ...listens, identity, sealEventsFor: ['desk'] }));
    const tap = await RawClient.open(server, 'tap');
    await tap.subscribe('iot-2/type/pump/id/pump-7/evt/+/fmt/+');
    await expect(client.publishEvent(pump7, 'status', { secret: 1 })).rejects.toMatchObject({
      code: 'key_material_invalid',
    });
    const problem = new Promise((resolve) => client.on('problem', resolve));
    const app = await desk();
    await app.publish('iot-2/type/pump/id/pump-7/cmd/restart/fmt/json', Buffer.from('1'));
    expect(await problem).toMatchObject({ code: 'key_material_invalid' });
    expect([await tap.heard(), commands]).toEqual([[], []]);
  });

  it('does not seal for an application that has not shown its keys, and sends nothing instead', async () => {
    const { identity } = await newIdentity(server, 'device:demo/pump/pump-7');
    const { client } = await hub(() => ({ ...listens, identity, sealEventsFor: ['desk'] }));
    const tap = await RawClient.open(server, 'tap');
    await tap.subscribe('iot-2/type/pump/id/pump-7/evt/status/fmt/+');
    await expect(client.publishEvent(pump7, 'status', 1)).rejects.toMatchObject({ code: 'key_material_invalid' });
    expect(await tap.heard()).toEqual([]);
  });

  it('has its own keys asked for anew: names that others invent leave nothing behind', async () => {
    const asked: string[] = [];
    const { client } = await hub(({ id }) => {
      asked.push(id);
      return undefined;
    });
    const app = await desk();
    for (let count = 0; count < 2; count++) {
      await app.publish('iot-2/type/pump/id/pump-8/cmd/restart/fmt/json', Buffer.from('1'));
      await client.publishEvent(pump8, 'status', 1);
    }
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });
});
