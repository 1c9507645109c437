import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOOK_SECRET, mailBox, type Open, webService } from '../letter-boxes.ts';
import { type TestServer, testServer } from '../server.ts';
import { demandCodes, UnlockingDevice } from '../unlock-devices.ts';

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

/** A server whose pumps demand codes by one way, and a device that has asked. */
async function asked(channel: 'mail' | 'web-hook', overrides: Readonly<Record<string, unknown>>) {
  server = await testServer({ 'unlock.deliveryTimeout': '10s', ...overrides });
  open.push(server);
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { owner: 'ann@example.com' });
  await demandCodes(server, { channels: [channel] });
  const device = await UnlockingDevice.open(server);
  return { device, status: await device.ask() };
}

const problemsOf = async () =>
  (await server.api.audit({ type: 'unlock.undelivered' })).items.map(({ details }) => String(details?.problem));

describe('a code by mail', () => {
  it('goes to the owner of the device over TLS, with the password of the mail server, and unlocks', async () => {
    const passwordFile = join(authority.directory, 'mail-password');
    writeFileSync(passwordFile, 'open sesame\n', { mode: 0o600 });
    const { mails, settings } = await mailBox(authority, open, { authOptional: false });
    const login = { 'unlock.mail.username': 'sallyport', 'unlock.mail.passwordFile': passwordFile };
    const { device, status } = await asked('mail', { ...settings, ...login });
    expect(status).toMatchObject({ status: 'sent', by: ['mail'], expiresIn: 300 });
    expect(mails).toMatchObject([{ to: ['ann@example.com'], secure: true }]);
    const code = /^([0-9]{6}) is the code for pump\/pump-7/m.exec(mails[0]?.text ?? '')?.[1] ?? '';
    expect(await device.give(code)).toEqual({ status: 'unlocked' });
  });

  it('goes to the owner of the device where it has one of its own', async () => {
    const { mails, settings } = await mailBox(authority, open);
    const { device } = await asked('mail', settings);
    await server.api.devices.update({ organisation: 'demo', type: 'pump', id: 'pump-7' }, { owner: 'bob@example.com' });
    await device.ask();
    expect(mails.map(({ to }) => to)).toEqual([['ann@example.com'], ['bob@example.com']]);
  });

  it('is not sent to a mail server that speaks no TLS', async () => {
    const { mails, settings } = await mailBox(authority, open, { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    const { status } = await asked('mail', settings);
    expect(status).toMatchObject({ status: 'undelivered', attemptsLeft: 3 });
    expect(mails).toEqual([]);
  });

  it('is not sent to a mail server with a certificate of a stranger', async () => {
    const { mails, settings } = await mailBox(authority, open);
    const { status } = await asked('mail', { ...settings, 'unlock.mail.ca': '' });
    expect(status).toMatchObject({ status: 'undelivered' });
    expect(mails).toEqual([]);
    expect(await problemsOf()).toEqual([expect.stringMatching(/certificate/)]);
  });

  it.each(['ann@example.com,eve@example.com', 'ann@example.com\r\nBcc: eve@example.com', 'Ann <ann@example.com>'])(
    'does not go to %j, which is not one address',
    async (owner) => {
      await expect(authority.api.types.update({ organisation: 'demo', id: 'pump' }, { owner })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    },
  );
});

const hook = (status: number, headers = {}) => webService(authority, open, { status }, headers);
const HOOK = 'unlock.webHook';

describe('a code to a web service', () => {
  it('is signed, so that the service can tell it from what others send', async () => {
    const { requests, settings } = await hook(204);
    const { device, status } = await asked('web-hook', settings(HOOK));
    expect(status).toMatchObject({ status: 'sent', by: ['web-hook'] });
    const [request] = requests;
    const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request?.headers['sallyport-signature']))!;
    expect(signature).toBe(createHmac('sha256', HOOK_SECRET).update(`${time}.${request?.body}`).digest('hex'));
    const body = JSON.parse(request?.body ?? '');
    expect(body).toMatchObject({ principal: 'device:demo/pump/pump-7', owner: 'ann@example.com' });
    expect(await device.give(body.code)).toEqual({ status: 'unlocked' });
  });

  it('is not carried on to where the service redirects', async () => {
    const elsewhere = await hook(204);
    const { requests, settings } = await hook(307, { Location: elsewhere.url });
    const { status } = await asked('web-hook', settings(HOOK));
    expect(status).toMatchObject({ status: 'undelivered' });
    expect(requests).toHaveLength(1);
    expect(elsewhere.requests).toEqual([]);
    expect(await problemsOf()).toEqual(['The web service answered 307.']);
  });

  it('is not sent to a service with a certificate of a stranger', async () => {
    const { requests, settings } = await hook(204);
    const { status } = await asked('web-hook', { ...settings(HOOK), 'unlock.webHook.ca': '' });
    expect(status).toMatchObject({ status: 'undelivered' });
    expect(requests).toEqual([]);
  });

  it('cannot be configured without TLS, or without a secret', async () => {
    await expect(testServer({ 'unlock.webHook.url': 'http://localhost/codes' })).rejects.toMatchObject({
      code: 'configuration_invalid',
    });
    await expect(testServer({ 'unlock.webHook.url': 'https://localhost/codes' })).rejects.toMatchObject({
      code: 'configuration_invalid',
    });
  });
});
