import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HOOK_SECRET, mailBox, type Open, webService } from '../letter-boxes.ts';
import { type TestServer, testServer } from '../server.ts';
import { LABORATORY, RawClient } from './raw-client.ts';

const HOOK = 'incidents.alerts.webHook';
let authority: TestServer;
let server: TestServer;
const open: Open = [];
beforeEach(async () => {
  authority = await testServer();
  open.push(authority);
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function started(overrides: Readonly<Record<string, unknown>>) {
  server = await testServer({ [`${HOOK}.interval`]: '1s', 'incidents.alerts.pause': '1s', ...overrides });
  open.push(server);
}

async function nameAnother(who = 'pump-7'): Promise<void> {
  const pump = await RawClient.open(server, who);
  for (let count = 0; count < 6; count++) await pump.subscribe('iot-2/type/pump/id/pump-9/evt/a/fmt/json');
  await pump.vanish();
}

const channel = async () => (await server.api.incidents.alerts()).items[0];

it('an alert to a web service is signed, and says what would have been done', async () => {
  const { requests, settings } = await webService(authority, open, { status: 204 });
  await started(settings(HOOK));
  await nameAnother();
  await expect.poll(() => requests.length, { timeout: 20_000 }).toBe(1);
  const [request] = requests;
  const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request?.headers['sallyport-signature'])) ?? [];
  expect(signature).toBe(createHmac('sha256', HOOK_SECRET).update(`${time}.${request?.body}`).digest('hex'));
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    type: 'alert',
    more: 0,
    incidents: [
      {
        rule: 'names-another',
        severity: 'high',
        subject: 'device:demo/pump/pump-7',
        state: 'open',
        timeline: expect.arrayContaining([
          expect.objectContaining({ text: 'Dry run: it would have been contained: quarantine.' }),
        ]),
      },
    ],
  });
});

it('is not carried on to where the service redirects, nor sent to one with a certificate of a stranger', async () => {
  const elsewhere = await webService(authority, open, { status: 204 });
  const { requests, settings } = await webService(authority, open, { status: 307 }, { Location: elsewhere.url });
  await started(settings(HOOK));
  expect((await server.api.incidents.testAlerts()).items).toEqual([
    { channel: 'web-hook', delivered: false, problem: 'The web service answered 307.' },
  ]);
  expect([requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  await server.close();
  await started({ ...elsewhere.settings(HOOK), [`${HOOK}.ca`]: '' });
  expect((await server.api.incidents.testAlerts()).items).toMatchObject([{ channel: 'web-hook', delivered: false }]);
  expect(elsewhere.requests).toEqual([]);
});

it.each([
  [{ [`${HOOK}.url`]: 'http://localhost/told', [`${HOOK}.secretFile`]: 'secret' }, 'allowPlaintextHook is false'],
  [{ [`${HOOK}.url`]: 'https://localhost/told' }, 'secretFile is empty'],
  [{ 'incidents.alerts.mail.to': ['ann@example.com'] }, 'unlock.mail.host names no mail server'],
  [{ 'incidents.alerts.mail.to': ['ann@example.com\r\nBcc: eve@example.com'] }, 'incidents.alerts.mail.to'],
  [{ 'incidents.alerts.mqtt.serverOrganisation': 'demo' }, 'incidents.alerts.mqtt.enabled is false'],
])('a way that is configured by half or without TLS is refused at start: %j', async (overrides, problem) => {
  await expect(testServer(overrides)).rejects.toThrow(problem);
});

it('a service that fails is seen in health, audit and list, and is told everything when it works again', {
  timeout: 60_000,
}, async () => {
  const answer = { status: 503 };
  const { requests, settings } = await webService(authority, open, answer);
  await started(settings(HOOK));
  await nameAnother();
  await expect.poll(async () => (await channel())?.state, { timeout: 20_000 }).toBe('failing');
  expect(await channel()).toMatchObject({ waiting: 1, problem: 'The web service answered 503.' });
  expect(await server.api.health()).toMatchObject({ status: 'ok', parts: { 'alerts by web-hook': 'failing' } });
  await nameAnother('pump-8');
  await expect.poll(async () => (await channel())?.waiting).toBe(2);
  answer.status = 204;
  await expect.poll(async () => (await channel())?.state, { timeout: 40_000 }).toBe('ok');
  expect(JSON.parse(requests.at(-1)?.body ?? '').incidents).toHaveLength(2);
  expect((await server.api.health()).parts).not.toHaveProperty('alerts by web-hook');
  for (const type of ['alert.failing', 'alert.recovered', 'alert.delivered'])
    expect((await server.api.audit({ type })).items.length).toBeGreaterThan(0);
});

it('a mail server without TLS gets no alert', async () => {
  const { mails, settings } = await mailBox(authority, open, { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
  await started({ ...settings, 'incidents.alerts.mail.to': ['ann@example.com'] });
  expect((await server.api.incidents.testAlerts()).items).toMatchObject([{ channel: 'mail', delivered: false }]);
  expect(mails).toEqual([]);
});

it('by MQTT each organisation hears of its own, only who may; and nobody can forge one', async () => {
  await started({
    'incidents.alerts.mqtt.enabled': true,
    'incidents.alerts.mqtt.interval': '1s',
    'incidents.alerts.mqtt.serverOrganisation': 'demo',
  });
  const { registry } = server.server;
  const by = 'system';
  for (const organisation of ['demo', 'other'])
    await registry.applications.update({ organisation, id: 'desk', role: 'operations', by });
  await registry.policies.put({ organisation: 'demo', text: LABORATORY, by });
  const desk = await RawClient.open(server, 'desk');
  const neighbour = await RawClient.open(server, 'other/desk');
  const tap = await RawClient.open(server, 'tap');
  for (const listener of [desk, neighbour]) expect(await listener.subscribe('iot-2/incident/+', { qos: 1 })).toBe(1);
  expect(await tap.subscribe('iot-2/incident/+')).toBe(0x87);
  const lab = await RawClient.open(server, 'lab', { clientId: 'lab' });
  lab.publish('iot-2/incident/denials', '{}', { qos: 1 });
  expect((await lab.take('puback')).reasonCode).toBe(0x87);
  await nameAnother();
  const alert = await desk.take('publish');
  expect(alert.topic).toBe('iot-2/incident/names-another');
  expect(JSON.parse(Buffer.from(alert.payload).toString())).toMatchObject({
    subject: 'device:demo/pump/pump-7',
    severity: 'high',
  });
  expect((await server.api.incidents.testAlerts()).items).toEqual([{ channel: 'mqtt', delivered: true }]);
  expect((await desk.take('publish')).topic).toBe('iot-2/incident/test');
  expect(await neighbour.heard()).toEqual([]);
});
