import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer({
    'incidents.act': true,
    'incidents.limits.unusual-rate': 'throttle',
    'incidents.habits.interval': '100ms',
    'incidents.habits.learning': '1s',
  });
});
afterEach(() => server.close());

it('a device that begins to send far more than it used to is throttled; one that always did, and its neighbours, are not', {
  timeout: 120_000,
}, async () => {
  const stolen = await RawClient.open(server, 'pump-7');
  const busy = await RawClient.open(server, 'pump-8');
  const application = await RawClient.open(server, 'desk');
  const EVENT = 'iot-2/evt/a/fmt/json';
  let outburst = false;
  const send = setInterval(() => {
    for (let count = 0; count < (outburst ? 60 : 1); count++) stolen.publish(EVENT);
    for (let count = 0; count < 40; count++) busy.publish(EVENT);
    application.publish('iot-2/type/pump/id/pump-7/evt/b/fmt/json');
  }, 100);
  try {
    // A past consists of thirty looks; twice as many are there when so much was taken in.
    let messages = 0;
    while (messages < 60 * 40) {
      const text = await server.api.metrics();
      messages = Number(/^sallyport_received_messages_total ([0-9]+)/m.exec(text)?.[1]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await server.api.incidents.list()).items).toEqual([]);
    outburst = true;
    await expect
      .poll(async () => (await server.api.incidents.list()).items.map(({ rule, subject }) => `${rule} ${subject}`), {
        timeout: 90_000,
      })
      .toContain('unusual-rate device:demo/pump/pump-7');
    const held = async () => (await server.api.incidents.list()).items.map(({ containment }) => containment);
    await expect.poll(held).toContain('throttle');
    const subjects = (await server.api.incidents.list()).items.map(({ subject }) => subject);
    expect(new Set(subjects)).toEqual(new Set(['device:demo/pump/pump-7']));
  } finally {
    clearInterval(send);
  }
  expect(await busy.settled()).toBe(true);
});
