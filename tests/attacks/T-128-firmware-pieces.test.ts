import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOf, released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
const image = someImage(300_000);
beforeAll(async () => {
  server = await testServer();
  await server.api.firmware.initialise('demo');
  await released(server, image, { version: '1.0.0' });
});
afterAll(() => server.close());

it('serves a device a few pieces at once, none larger than 64 KiB, and refuses more under a ticket', async () => {
  const client = await connectAsync(`mqtts://localhost:${server.port}`, {
    ca: server.rootPem,
    clientId: 'd:demo:pump:pump-7',
    username: 'use-token-auth',
    password: server.tokens['pump-7'] ?? '',
  });
  await client.subscribeAsync('iotdm-1/#', { qos: 1 });
  let pieces = 0;
  let largest = 0;
  const refusals: string[] = [];
  client.on('message', (topic, payload) => {
    if (topic === 'iotdm-1/response') refusals.push(payload.toString());
    else {
      pieces++;
      largest = Math.max(largest, payload.length);
    }
  });
  const file = `targets/pump/${digestOf(image)}.1.0.0.bin`;
  const asked = 60;
  for (let index = 0; index < asked; index++) {
    client.publish(
      'iotdevice-1/mgmt/firmware',
      JSON.stringify({ reqId: `r${index}`, d: { file, offset: 0, length: 300_000 } }),
      { qos: 0 },
    );
  }
  await expect.poll(() => pieces + refusals.length, { timeout: 20_000 }).toBe(asked);
  expect(largest).toBe(65_536);
  expect(refusals.length).toBeGreaterThan(0);
  const ticket = /ticket ([0-9A-Z]{6})/.exec(refusals[0] ?? '')?.[1] ?? '';
  expect((await server.api.explainTicket(ticket)).reason).toBe('firmware_window_exceeded');
  await client.endAsync();
});
