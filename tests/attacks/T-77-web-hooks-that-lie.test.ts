import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { serverCertificate } from '../server-certificate.ts';
import { RawClient } from './raw-client.ts';

const SECRET = 'a secret of the web hook with 32 or more characters';
interface Heard {
  readonly signature: string;
  readonly body: string;
}

describeWith(['openssl'], 'a web hook', (programs) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-hook-'));
  let hook: Server;
  let server: TestServer;
  let answer: (response: ServerResponse) => void;
  const heard: Heard[] = [];
  const says = (value: unknown) => (answer = (response) => response.end(JSON.stringify(value)));

  beforeAll(async () => {
    const { cert, key } = serverCertificate(programs.openssl ?? '', folder);
    hook = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        heard.push({
          signature: String(request.headers['sallyport-signature']),
          body: Buffer.concat(chunks).toString(),
        });
        answer(response);
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const secretFile = join(folder, 'hook.secret');
    writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
    server = await testServer({
      organisations: [
        {
          id: 'demo',
          authenticators: ['hook', 'token'],
          hook: {
            url: `https://localhost:${(hook.address() as AddressInfo).port}/decide`,
            caFile: cert,
            secretFile,
            timeout: '500ms',
          },
        },
      ],
    });
  });
  afterAll(async () => {
    await server.close();
    hook.closeAllConnections();
    await new Promise((resolve) => hook.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    heard.length = 0;
  });

  const login = (clientId = 'a:demo:desk') =>
    RawClient.login(server, { clientId, username: 'someone', password: Buffer.from('the password'), keepAlive: 0 });

  it('is asked with a signature, and is not told the password', async () => {
    says({ decision: 'permit', principal: 'application:demo/desk' });
    expect((await login()).code).toBe(0);
    const [{ signature, body } = { signature: '', body: '' }] = heard;
    const [, time = '', seal = ''] = /^t=([0-9]+),v1=([0-9a-f]+)$/.exec(signature) ?? [];
    expect(seal).toBe(createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'));
    expect(JSON.parse(body)).toMatchObject({ organisation: 'demo', clientId: 'a:demo:desk', hasPassword: true });
    expect(body).not.toContain('the password');
  });

  it('may bound whom it permits, and leave a client to others', async () => {
    says({
      decision: 'permit',
      principal: 'application:demo/desk',
      grants: ['publish:iot-2/type/pump/id/+/cmd/+/fmt/+'],
    });
    const { client } = await login();
    expect(await client.subscribe('iot-2/type/+/id/+/evt/+/fmt/+')).toBe(0x87);
    says({ decision: 'abstain' });
    await RawClient.open(server, 'desk');
    says({ decision: 'deny', reason: 'it is night' });
    expect((await login()).code).toBe(0x87);
    const { items } = await server.api.refusals({ organisation: 'demo' });
    expect(JSON.stringify(items[0]?.steps)).toContain('it is night');
  });

  it.each([
    ['nothing that was asked for', {}],
    ['a word that is no decision', { decision: 'PERMIT', principal: 'application:demo/desk' }],
    ['nobody', { decision: 'permit' }],
    ['an operator', { decision: 'permit', principal: 'operator:admin' }],
    ['somebody of another organisation', { decision: 'permit', principal: 'application:other/desk' }],
    ['grants that cannot be read', { decision: 'permit', principal: 'application:demo/desk', grants: ['everything'] }],
    ['grants that are no list', { decision: 'permit', principal: 'application:demo/desk', grants: 'publish:#' }],
    ['a list', []],
  ])('that permits %s lets nobody in', async (_, value) => {
    says(value);
    expect((await login()).code).toBe(0x88);
  });

  it('that permits somebody who is not registered, or another than the client id names, lets nobody in', async () => {
    says({ decision: 'permit', principal: 'application:demo/nobody' });
    expect((await login()).code).toBe(0x87);
    says({ decision: 'permit', principal: 'application:demo/tap' });
    expect((await login()).code).toBe(0x85);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    [
      'answers 500',
      (response) => response.writeHead(500).end('{"decision":"permit","principal":"application:demo/desk"}'),
    ],
    ['sends it elsewhere', (response) => response.writeHead(302, { location: 'https://localhost/' }).end()],
    ['answers without end', (response) => response.end(`{"decision":"permit","x":"${'x'.repeat(100_000)}"}`)],
    ['breaks off', (response) => response.destroy()],
    [
      'trickles',
      (response) => {
        const timer = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('that %s lets nobody in, not even by the next authenticator', async (_, behaviour) => {
    answer = behaviour;
    expect((await login()).code).toBe(0x88);
    expect((await RawClient.login(server, tokenOf('desk'))).code).toBe(0x88);
  });

  const tokenOf = (id: string) => ({
    clientId: `a:demo:${id}`,
    username: server.keys[id] ?? '',
    password: Buffer.from(server.tokens[id] ?? ''),
    keepAlive: 0,
  });

  it('is left alone after it has failed several times in a row', async () => {
    answer = (response) => response.destroy();
    for (let attempt = 0; attempt < 6; attempt++) await login();
    heard.length = 0;
    for (let attempt = 0; attempt < 5; attempt++) expect((await login()).code).toBe(0x88);
    expect(heard).toEqual([]);
  });
});
