import { afterEach, beforeEach, expect, it } from 'vitest';
import { mailBox, type Open, type ReceivedMail } from '../letter-boxes.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
let mails: readonly ReceivedMail[];
const open: Open = [];
beforeEach(async () => {
  const authority = await testServer();
  open.push(authority);
  const box = await mailBox(authority, open);
  mails = box.mails;
  server = await testServer({
    ...box.settings,
    'incidents.alerts.mail.to': ['ann@example.com', 'bob@example.com'],
    'incidents.alerts.mail.severity': 'low',
    'incidents.alerts.mail.interval': '1h',
  });
  open.push(server);
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

it('a device that opens one incident after the other causes one mail, whose text it cannot shape', async () => {
  const pump = await RawClient.open(server, 'pump-7');
  const evil = 'iot-2/type/pump/id/pump-8/evt/\u2028Subject: all is well/fmt/json';
  for (let count = 0; count < 60; count++) await pump.subscribe(evil);
  await expect.poll(() => mails.length, { timeout: 20_000 }).toBe(1);
  for (const id of ['pump-9', 'pump-10', 'pump-11']) {
    const { token } = await server.server.registry.devices.create({
      organisation: 'demo',
      type: 'pump',
      id,
      by: 'system',
    });
    const password = Buffer.from(token);
    const other = await RawClient.open(server, 'pump-7', { clientId: `d:demo:pump:${id}`, password });
    for (let count = 0; count < 6; count++) await other.subscribe(evil);
  }
  await expect.poll(async () => (await server.api.incidents.list()).items.length).toBeGreaterThanOrEqual(4);
  const waiting = async () => (await server.api.incidents.alerts()).items[0]?.waiting;
  await expect.poll(waiting).toBeGreaterThanOrEqual(3);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatchObject({ to: ['ann@example.com', 'bob@example.com'], secure: true });
  const text = mails[0]?.text ?? '';
  expect(text.match(/^Subject:.*/gm)).toEqual([expect.stringContaining('Sallyport: ')]);
  expect(text).toContain('sallyport incident show');
});

it('those that wait are told in one mail when the server stops', async () => {
  const pump = await RawClient.open(server, 'pump-7');
  for (let count = 0; count < 6; count++) await pump.subscribe('iot-2/type/pump/id/pump-8/evt/a/fmt/json');
  await expect.poll(() => mails.length, { timeout: 20_000 }).toBe(1);
  const other = await RawClient.open(server, 'pump-8');
  for (let count = 0; count < 6; count++) await other.subscribe('iot-2/type/pump/id/pump-7/evt/a/fmt/json');
  await expect.poll(async () => (await server.api.incidents.alerts()).items[0]?.waiting).toBeGreaterThanOrEqual(1);
  await server.server.close();
  expect(mails).toHaveLength(2);
});
