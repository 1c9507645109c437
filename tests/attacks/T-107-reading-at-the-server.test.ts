import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connectApplication, type Event } from '@sallyport/application';
import { type Command, connectDevice } from '@sallyport/device';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrivals, newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

const PUMP = 'device:demo/pump/pump-7';
const DESK = 'application:demo/desk';
const pump7 = { type: 'pump', id: 'pump-7' };
const written: string[] = [];
let server: TestServer;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  server = await testServer();
  // Log, audit trail and metrics are made from these and from nothing else.
  server.server.events.on('*', (event) => written.push(JSON.stringify(event)));
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { encryption: 'required' });
});
afterAll(async () => {
  for (const client of opened.splice(0)) await client.close();
  await server.close();
});

const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });

function everyFile(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? everyFile(path) : [path];
  });
}

describe('somebody who reads everything at the server', () => {
  it('finds nothing of a sealed event or command: not on disk, not in what is logged, not on the way', async () => {
    // A session that keeps what comes while its client is away: the messages lie in the store of the server.
    const keep = {
      protocol: 'mqtts' as const,
      host: server.host,
      port: server.port,
      ca: server.rootPem,
      protocolVersion: 5 as const,
      clientId: 'a:demo:tap',
      username: server.keys.tap ?? '',
      password: server.tokens.tap ?? '',
      clean: false,
      properties: { sessionExpiryInterval: 600 },
    };
    const tap = await mqtt.connectAsync(keep);
    await tap.subscribeAsync('iot-2/type/+/id/+/evt/+/fmt/+', { qos: 1 });
    await tap.endAsync();

    const { identity } = await newIdentity(server, DESK);
    const access = { id: 'desk', key: server.keys.desk ?? '', token: server.tokens.desk ?? '' };
    const desk = await connectApplication({ ...place(), ...access, protection: { identity, sealCommands: true } });
    opened.push(desk);
    const events = arrivals<Event>();
    const commands = arrivals<Command>();
    await desk.subscribeEvents({}, (event) => events.put(event));
    const device = await connectDevice({
      ...place(),
      ...pump7,
      token: server.tokens['pump-7'] ?? '',
      protection: { identity: (await newIdentity(server, PUMP)).identity, firstUse: ['+'], sealEventsFor: ['desk'] },
    });
    opened.push(device);
    await device.onCommand('+', (command) => commands.put(command));
    await desk.sendCommand(pump7, 'open', { code: 'treasure-of-the-desk' });
    await device.publishEvent('level', { level: 'treasure-of-the-pump' });
    expect(await commands.next()).toMatchObject({ payload: { code: 'treasure-of-the-desk' } });
    expect(await events.next()).toMatchObject({ payload: { level: 'treasure-of-the-pump' } });

    const carried = arrivals<Buffer>();
    const again = mqtt.connect(keep);
    again.on('message', (topic, payload) => {
      if (topic.includes('/evt/level/')) carried.put(payload);
    });
    const sealed = await carried.next();
    const onDisk = everyFile(server.directory).map((path) => readFileSync(path));
    // The search would find it: the sealed form is there.
    expect(onDisk.some((bytes) => bytes.includes(sealed.subarray(-32)))).toBe(true);
    await again.endAsync(true);
    for (const bytes of [...onDisk, sealed, Buffer.from(written.join(''), 'latin1')]) {
      expect(bytes.includes('treasure')).toBe(false);
      expect(bytes.includes(Buffer.from('treasure').toString('base64').slice(0, 8))).toBe(false);
    }
    expect(written.join('')).toContain('session.opened');
  });
});
