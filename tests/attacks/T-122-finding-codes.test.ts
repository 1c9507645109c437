import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from 'otpauth';
import { afterEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { CodeDesk, demandCodes, UnlockingDevice } from '../unlock-devices.ts';

let server: TestServer;
afterEach(() => server.close());

it('neither codes nor the secrets of authenticator apps are in files, events, metrics or the audit trail', async () => {
  server = await testServer({ 'log.level': 'silent' });
  await demandCodes(server, { channels: ['application', 'authenticator', 'console'] });
  const events: unknown[] = [];
  server.server.events.on('*', (event) => events.push(event));
  const pump7 = { organisation: 'demo', type: 'pump', id: 'pump-7' };
  const app = await server.api.devices.authenticator.create(pump7);
  const desk = await CodeDesk.open(server);
  const keep = { cleanStart: false, properties: { sessionExpiryInterval: 300 } };
  const device = await UnlockingDevice.open(server, 'pump-7', keep);
  await device.ask();
  const first = (await desk.next()).code;
  const { code } = await server.api.unlocks.makeCode('demo', 'd:demo:pump:pump-7');
  expect(await device.give(code)).toEqual({ status: 'unlocked' });

  const secret = Buffer.from(Secret.fromBase32(app.secret).bytes);
  const wanted = [first, code, app.secret].map((text) => Buffer.from(`"${text}"`)).concat(secret);
  const texts = [
    Buffer.from(JSON.stringify(events)),
    Buffer.from(JSON.stringify(await server.api.audit({ limit: 500 }))),
    Buffer.from(await server.api.metrics()),
    Buffer.from(JSON.stringify(await server.api.unlocks.list('demo'))),
    ...filesOf(server.directory),
  ];
  for (const found of wanted) expect(texts.some((text) => text.includes(found))).toBe(false);
});

function filesOf(folder: string): Buffer[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesOf(path) : [readFileSync(path)];
  });
}
