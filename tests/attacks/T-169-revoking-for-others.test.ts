import { createHmac } from 'node:crypto';
import { decodeJwt, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { approved, PUMP } from '../device-flow.ts';
import { ask } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  // 100 rows: a client may hold ten of them.
  server = await testServer({
    'authorizationServer.organisations': ['demo', 'other'],
    'authorizationServer.deviceInterval': '100ms',
    'authorizationServer.maximumTokens': 100,
    'authorizationServer.maximumPendingDevices': 50,
  });
});
afterAll(() => server.close());

type Form = Readonly<Record<string, string>>;
const post = (path: string, form: Form, id = 'desk', organisation = 'demo') =>
  ask(server, `/oauth/${organisation}/token${path}`, {
    form,
    basic: [
      organisation === 'demo' ? id : (server.keys[`other/${id}`] ?? ''),
      server.tokens[organisation === 'demo' ? id : `other/${id}`] ?? '',
    ],
  });
const issued = async (id = 'desk'): Promise<string> =>
  String((await post('', { grant_type: 'client_credentials' }, id)).json.access_token);
async function counts(token: string, clientId = 'a:demo:desk'): Promise<boolean> {
  const login = { clientId, username: 'use-access-token', password: Buffer.from(token), keepAlive: 0 };
  return (await RawClient.login(server, login, 5)).code === 0;
}

it('nobody revokes the token of another: application, neighbour, device, or somebody without proof', async () => {
  const token = await issued();
  expect((await post('/revocation', { token }, 'tap')).status).toBe(400);
  expect((await post('/revocation', { token }, 'desk', 'other')).status).toBe(200);
  const asDevice = await ask(server, '/oauth/demo/token/revocation', { form: { token, client_id: PUMP } });
  expect([asDevice.status, asDevice.text]).toEqual([200, '']);
  const unproven = await ask(server, '/oauth/demo/token/revocation', { form: { token }, basic: ['desk', 'wrong'] });
  expect(unproven.status).toBe(401);
  expect(await counts(token)).toBe(true);
  expect((await server.api.oauth.revokedTokens('demo')).items).toEqual([]);
});

it('a device without a secret learns nothing about tokens of others', async () => {
  const token = await issued();
  const asked = await ask(server, '/oauth/demo/token/introspection', { form: { token, client_id: PUMP } });
  expect(asked.json).toEqual({ active: false });
  const neighbour = await post('/introspection', { token }, 'desk', 'other');
  expect(neighbour.json).toEqual({ active: false });
});

it('a forged token revokes nothing, and takes no room', async () => {
  const good = await issued();
  const { jti, ...claims } = decodeJwt(good);
  const [header = '', , signature = ''] = good.split('.');
  const payload = (extra: object) => Buffer.from(JSON.stringify({ ...claims, jti, ...extra })).toString('base64url');
  const { privateKey } = await generateKeyPair('ES256');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid })).toString('base64url');
  const hs = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid })).toString('base64url');
  const { json: jwks } = await ask(server, '/oauth/demo/jwks');
  const forged = [
    `${header}.${payload({ sub: 'application:desk', exp: 9_999_999_999 })}.${signature}`,
    `${none}.${payload({})}.`,
    `${none}.${payload({})}.${signature}`,
    `${hs}.${payload({})}.${createHmac('sha256', JSON.stringify(jwks))
      .update(`${hs}.${payload({})}`)
      .digest('base64url')}`,
    await new SignJWT({ ...claims, jti: String(jti) })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .sign(privateKey),
    `${good}x`,
    `${good}.`,
  ];
  for (const token of forged) {
    expect((await post('/introspection', { token })).json, token).toEqual({ active: false });
    expect((await post('/revocation', { token })).status, token).toBe(200);
  }
  expect((await server.api.oauth.revokedTokens('demo')).items).toEqual([]);
  expect(await counts(good)).toBe(true);
});

it('a client that revokes without end leaves room for the others, and is told what is not revoked', async () => {
  const statuses: number[] = [];
  let last = '';
  for (let round = 0; round < 12; round++) {
    last = await issued('tap');
    const { status, headers } = await post('/revocation', { token: last }, 'tap');
    statuses.push(status);
    if (status === 503) expect(headers['retry-after']).toBeDefined();
  }
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 503, 503]);
  expect(await counts(last, 'a:demo:tap')).toBe(true);
  const token = await issued();
  expect((await post('/revocation', { token })).status).toBe(200);
  expect(await counts(token)).toBe(false);
  // An operator ends all of them, whatever room there is.
  await server.api.applications.suspend({ organisation: 'demo', id: 'tap' });
  expect(await counts(last, 'a:demo:tap')).toBe(false);
});

it('a stolen refresh token ends the signed tokens of its approval, and not those of another device', async () => {
  const first = await approved(server);
  const other = 'd:demo:pump:pump-8';
  const neighbour = await approved({ ...server }, {});
  const renew = { grant_type: 'refresh_token', refresh_token: String(first.refresh_token), client_id: PUMP };
  await ask(server, '/oauth/demo/token', { form: renew });
  expect((await ask(server, '/oauth/demo/token', { form: { ...renew, client_id: other } })).json.error).toBe(
    'invalid_grant',
  );
  expect((await ask(server, '/oauth/demo/token', { form: renew })).json.error).toBe('invalid_grant');
  expect(await counts(String(first.access_token), PUMP)).toBe(false);
  expect(await counts(String(neighbour.access_token), PUMP)).toBe(true);
});
