import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { demandCodes, UnlockingDevice } from '../unlock-devices.ts';

/*
 * The certificate and key of one server of ours stand in for those of mail servers and web services: they are good for localhost, to
 * whoever trusts the root of that server.
 */
let authority: TestServer;
let server: TestServer;
const open: { close(): Promise<unknown> | unknown }[] = [];
beforeEach(async () => {
  authority = await testServer();
  open.push(authority);
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const credentials = () => ({
  key: readFileSync(join(authority.directory, 'pki', 'server-key.pem')),
  cert: readFileSync(join(authority.directory, 'pki', 'server.pem')),
});

interface Mail {
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
}

async function mailServer(options: ConstructorParameters<typeof SMTPServer>[0] = {}) {
  const mails: Mail[] = [];
  const smtp = new SMTPServer({
    ...credentials(),
    authOptional: true,
    logger: false,
    onAuth: ({ username, password }, _session, done) =>
      username === 'sallyport' && password === 'open sesame'
        ? done(null, { user: username })
        : done(new Error('wrong password')),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, text: Buffer.concat(chunks).toString(), secure: session.secure });
        done();
      });
    },
    ...options,
  });
  smtp.on('error', () => {});
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise<void>((resolve) => smtp.close(() => resolve())) });
  return { mails, port: (smtp.server.address() as AddressInfo).port };
}

/** A server whose pumps demand codes by one way, and a device that has asked. */
async function asked(channel: 'mail' | 'web-hook', overrides: Readonly<Record<string, unknown>>) {
  server = await testServer({ 'unlock.deliveryTimeout': '10s', ...overrides });
  open.push(server);
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { owner: 'ann@example.com' });
  await demandCodes(server, { channels: [channel] });
  const device = await UnlockingDevice.open(server);
  return { device, status: await device.ask() };
}

const mailSettings = (port: number, more: Readonly<Record<string, unknown>> = {}) => ({
  'unlock.mail.host': 'localhost',
  'unlock.mail.port': port,
  'unlock.mail.from': 'sallyport@example.com',
  'unlock.mail.ca': authority.rootFile,
  ...more,
});

const problemsOf = async () =>
  (await server.api.audit({ type: 'unlock.undelivered' })).items.map(({ details }) => String(details?.problem));

describe('a code by mail', () => {
  it('goes to the owner of the device over TLS, with the password of the mail server, and unlocks', async () => {
    const passwordFile = join(authority.directory, 'mail-password');
    writeFileSync(passwordFile, 'open sesame\n', { mode: 0o600 });
    const { mails, port } = await mailServer({ authOptional: false });
    const { device, status } = await asked(
      'mail',
      mailSettings(port, { 'unlock.mail.username': 'sallyport', 'unlock.mail.passwordFile': passwordFile }),
    );
    expect(status).toMatchObject({ status: 'sent', by: ['mail'], expiresIn: 300 });
    expect(mails).toMatchObject([{ to: ['ann@example.com'], secure: true }]);
    const code = /^([0-9]{6}) is the code for pump\/pump-7/m.exec(mails[0]?.text ?? '')?.[1] ?? '';
    expect(await device.give(code)).toEqual({ status: 'unlocked' });
  });

  it('goes to the owner of the device where it has one of its own', async () => {
    const { mails, port } = await mailServer();
    const { device } = await asked('mail', mailSettings(port));
    await server.api.devices.update({ organisation: 'demo', type: 'pump', id: 'pump-7' }, { owner: 'bob@example.com' });
    await device.ask();
    expect(mails.map(({ to }) => to)).toEqual([['ann@example.com'], ['bob@example.com']]);
  });

  it('is not sent to a mail server that speaks no TLS', async () => {
    const { mails, port } = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    const { status } = await asked('mail', mailSettings(port));
    expect(status).toMatchObject({ status: 'undelivered', attemptsLeft: 3 });
    expect(mails).toEqual([]);
  });

  it('is not sent to a mail server with a certificate of a stranger', async () => {
    const { mails, port } = await mailServer();
    const { status } = await asked('mail', { ...mailSettings(port), 'unlock.mail.ca': '' });
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

const SECRET = 'a secret of the web service';

async function webService(answer: number, headers: Readonly<Record<string, string>> = {}) {
  const requests: { headers: IncomingHttpHeaders; body: string }[] = [];
  const service: Server = createServer(credentials(), (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer, headers).end();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise<void>((resolve) => service.close(() => resolve())) });
  const secretFile = join(authority.directory, 'hook-secret');
  writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
  const settings = {
    'unlock.webHook.url': `https://localhost:${(service.address() as AddressInfo).port}/codes`,
    'unlock.webHook.secretFile': secretFile,
    'unlock.webHook.ca': authority.rootFile,
  };
  return { requests, settings };
}

describe('a code to a web service', () => {
  it('is signed, so that the service can tell it from what others send', async () => {
    const { requests, settings } = await webService(204);
    const { device, status } = await asked('web-hook', settings);
    expect(status).toMatchObject({ status: 'sent', by: ['web-hook'] });
    const [request] = requests;
    const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request?.headers['sallyport-signature']))!;
    expect(signature).toBe(createHmac('sha256', SECRET).update(`${time}.${request?.body}`).digest('hex'));
    const body = JSON.parse(request?.body ?? '');
    expect(body).toMatchObject({ principal: 'device:demo/pump/pump-7', owner: 'ann@example.com' });
    expect(await device.give(body.code)).toEqual({ status: 'unlocked' });
  });

  it('is not carried on to where the service redirects', async () => {
    const elsewhere = await webService(204);
    const { requests, settings } = await webService(307, { Location: elsewhere.settings['unlock.webHook.url'] });
    const { status } = await asked('web-hook', settings);
    expect(status).toMatchObject({ status: 'undelivered' });
    expect(requests).toHaveLength(1);
    expect(elsewhere.requests).toEqual([]);
    expect(await problemsOf()).toEqual(['The web service answered 307.']);
  });

  it('is not sent to a service with a certificate of a stranger', async () => {
    const { requests, settings } = await webService(204);
    const { status } = await asked('web-hook', { ...settings, 'unlock.webHook.ca': '' });
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
