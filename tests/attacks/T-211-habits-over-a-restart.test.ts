import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { startedAgain } from '../started-again.ts';
import { RawClient } from './raw-client.ts';

const settings = { 'incidents.habits.interval': '100ms', 'incidents.habits.learning': '1s' };
const PUMP = { organisation: 'demo', type: 'pump', id: 'pump-7' };

let server: TestServer;
beforeEach(async () => {
  server = await testServer(settings);
});
afterEach(() => server.close());

const found = async () => (await server.api.incidents.list()).items.map(({ rule, subject }) => `${rule} ${subject}`);

/** Lets a device send so many messages each 100 ms, for as long as `enough` is not true. */
async function sending(messages: number, enough: () => Promise<boolean>): Promise<void> {
  const client = await RawClient.open(server, 'pump-7');
  const timer = setInterval(() => {
    for (let count = 0; count < messages; count++) client.publish('iot-2/evt/a/fmt/json');
  }, 100);
  try {
    while (!(await enough())) await new Promise((resolve) => setTimeout(resolve, 100));
  } finally {
    clearInterval(timer);
    await client.vanish();
  }
}

async function received(messages: number): Promise<boolean> {
  const text = await server.api.metrics();
  return Number(/^sallyport_received_messages_total ([0-9]+)/m.exec(text)?.[1]) >= messages;
}

it('a device that waits for a restart to begin its outburst is found by the past that it had before', {
  timeout: 120_000,
}, async () => {
  await sending(1, () => received(80));
  expect(await found()).toEqual([]);
  server = await startedAgain(server, settings);
  await sending(60, async () => (await found()).includes('unusual-rate device:demo/pump/pump-7'));
});

it('a device that is registered anew under the name of another is compared with nothing', {
  timeout: 120_000,
}, async () => {
  await sending(1, () => received(80));
  await server.api.devices.remove(PUMP);
  const { token } = await server.api.devices.create(PUMP);
  server = await startedAgain({ ...server, tokens: { ...server.tokens, 'pump-7': token ?? '' } }, settings);
  // Fewer looks than a past consists of.
  await sending(60, () => received(600));
  expect(await found()).toEqual([]);
});
