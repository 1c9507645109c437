import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { ask } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { Enterprise } from './enterprise.ts';
import { sallyport } from './sallyport-process.ts';

const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';
const RESOURCE_SERVER_SECRET = 'enterprise.secret';

const enterprise = new Enterprise();
let server: TestServer;
let secret = '';

beforeAll(async () => {
  await enterprise.prepare();
  const api = enterprise.api();
  await api.organisations.create({ id: 'plant' });
  secret = (await api.applications.create({ organisation: 'plant', id: 'desk' })).token ?? '';
  const platform = await api.applications.create({ organisation: 'plant', id: 'platform', role: 'backend-trusted' });
  server = await testServer({ 'accessTokens.authorityFile': enterprise.rootFile });
  const secrets = join(server.directory, 'secrets');
  mkdirSync(secrets, { mode: 0o700, recursive: true });
  writeFileSync(join(secrets, RESOURCE_SERVER_SECRET), platform.token ?? '', { mode: 0o600 });
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: enterprise.issuer,
    audience: 'sallyport:plant',
    jwksUrl: `${enterprise.issuer}/jwks`,
    principal: '{sub}',
    grants: 'required',
  });
}, 120_000);
afterAll(async () => {
  await server.close();
  await enterprise.stop();
  rmSync(enterprise.folder, { recursive: true, force: true });
});

const login = (token: string) =>
  RawClient.login(server, {
    clientId: 'a:demo:desk',
    username: 'use-access-token',
    password: Buffer.from(token),
    keepAlive: 0,
  });

it('lets in whom the authorization server of the enterprise vouches for, as far as its scope and our policy go', async () => {
  const { client, code } = await login(await enterprise.token('desk', secret));
  expect(code).toBe(0);
  client.publish(COMMAND, 'x', { qos: 1 });
  expect((await client.take('puback')).reasonCode).toBeLessThan(0x80);
  expect(await client.subscribe('iot-2/type/+/id/+/evt/+/fmt/+')).toBe(0x87);
});

it('goes on with the keys that it has, while that server is away', async () => {
  const token = await enterprise.token('desk', secret);
  const { client } = await login(token);
  await enterprise.stop();
  expect(await client.settled()).toBe(true);
  expect((await login(token)).code).toBe(0);
});

it('has no doors but the API and the tokens', async () => {
  await enterprise.start('jwt');
  const { headers, status } = await ask(enterprise, '/mqtt', {
    headers: { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-protocol': 'mqtt' },
  });
  expect([status, headers.upgrade]).toEqual([404, undefined]);
  await enterprise.stop();
});

it('asks about opaque tokens, and lets nobody in while nobody answers', async () => {
  await enterprise.start('opaque');
  await server.api.issuers.remove('demo', 'plant');
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: enterprise.issuer,
    audience: 'sallyport:plant',
    tokens: 'opaque',
    principal: '{sub}',
    introspection: {
      url: `${enterprise.issuer}/token/introspection`,
      clientId: 'platform',
      secretFile: RESOURCE_SERVER_SECRET,
      cache: 1,
    },
  });
  const token = await enterprise.token('desk', secret);
  expect((await login(token)).code).toBe(0);
  await enterprise.stop();
  // An answer counts for a second.
  expect(await until(token, (code) => code !== 0)).toBe(0x88);
  await enterprise.start('opaque');
  // It is left alone for a while after it did not answer.
  expect(await until(token, (code) => code !== 0x88)).toBe(0);
  const form = { token };
  await ask(enterprise, '/oauth/plant/token/revocation', { form, basic: ['desk', secret] });
  expect(await until(token, (code) => code !== 0)).toBe(0x87);
});

/** The code of the first login that the condition holds for. */
async function until(token: string, holds: (code: number) => boolean): Promise<number> {
  for (;;) {
    const { code } = await login(token);
    if (holds(code)) return code;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

it('does not start without an organisation to serve', async () => {
  const folder = join(enterprise.folder, 'other');
  const { exitCode, err } = await sallyport(['authorization-server', '--data-dir', folder, '--http-port', '0']);
  expect(exitCode).not.toBe(0);
  expect(err).toContain('authorizationServer.organisations');
});
