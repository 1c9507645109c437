import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { CodeDesk, demandCodes } from '../unlock-devices.ts';

/*
 * What a bundler makes of the device for browsers, run with a WebSocket as browsers have it.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = `
import WebSocketOfNode from 'ws';
const ca = process.env.CA;
globalThis.window = Object.assign(globalThis, { document: {} });
globalThis.navigator ??= { language: 'en', userAgent: 'test' };
globalThis.WebSocket = class extends WebSocketOfNode {
  constructor(url, protocols) {
    super(url, protocols, { ca });
  }
};
const { connectDevice } = await import('./device.js');
const device = await connectDevice({
  host: 'localhost', port: Number(process.env.PORT), websocket: true,
  organisation: 'demo', type: 'pump', id: 'pump-7', token: process.env.TOKEN,
  onUnlockRequired: () => new Promise((resolve) => process.once('message', resolve)),
});
await device.publishEvent('status', { from: 'a browser' });
await device.close();
process.disconnect();
`;

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-browser-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'page.mjs'), PAGE);
  await build({
    input: join(ROOT, 'packages/device/src/browser.ts'),
    platform: 'browser',
    external: [/^node:/],
    resolve: { conditionNames: ['browser', '@sallyport/source', 'import', 'module'] },
    output: { dir: folder, entryFileNames: 'device.js', format: 'esm' },
  });
}, 120_000);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

it('connects over WebSocket, gives its one-time code, and is heard', async () => {
  await demandCodes(server);
  const desk = await CodeDesk.open(server);
  const tap = await RawClient.open(server, 'tap');
  await tap.subscribe('iot-2/type/pump/id/pump-7/evt/+/fmt/+');
  const page = spawn(process.execPath, ['--no-deprecation', join(folder, 'page.mjs')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, CA: server.rootPem, PORT: String(server.httpPort), TOKEN: server.tokens['pump-7'] },
  });
  const exitCode = new Promise<number | null>((resolve) => page.on('close', resolve));
  page.send((await desk.next()).code);
  expect(Buffer.from((await tap.take('publish')).payload).toString()).toBe('{"from":"a browser"}');
  expect(await exitCode).toBe(0);
});
