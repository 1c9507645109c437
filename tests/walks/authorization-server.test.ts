import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { approved, begin, PUMP as CLIENT, decide, hidden, poll, submit } from '../device-flow.ts';
import { ask, scope } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

const EVENTS = scope('subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+');
const COMMANDS = scope('publish', 'iot-2/type/pump/id/+/cmd/+/fmt/+');

let server: TestServer;
let opaque: TestServer;
const switchedOn = { 'authorizationServer.organisations': ['demo'], 'authorizationServer.deviceInterval': '100ms' };
beforeAll(async () => {
  server = await testServer(switchedOn);
  opaque = await testServer({ ...switchedOn, 'authorizationServer.accessTokens': 'opaque' });
});
afterAll(() => Promise.all([server.close(), opaque.close()]));

const credentials = (of: TestServer, id = 'desk') => [of.keys[id] ?? '', of.tokens[id] ?? ''] as const;
const clientCredentials = (of: TestServer, more: Readonly<Record<string, string>> = {}, id = 'desk') =>
  ask(of, '/oauth/demo/token', { form: { grant_type: 'client_credentials', ...more }, basic: credentials(of, id) });

async function verified(of: TestServer, token: unknown) {
  const issuer = `https://localhost:${of.httpPort}/oauth/demo`;
  const { json } = await ask(of, '/oauth/demo/jwks');
  return jwtVerify(String(token), createLocalJWKSet(json as unknown as JSONWebKeySet), {
    issuer,
    audience: 'sallyport:demo',
    typ: 'at+jwt',
    algorithms: ['ES256'],
  });
}

describe('the embedded authorization server', () => {
  it.each([
    '/oauth/demo/.well-known/openid-configuration',
    '/oauth/demo/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/oauth/demo',
  ])('describes itself at %s, with addresses that answer', async (path) => {
    const { status, json } = await ask(server, path);
    expect(status).toBe(200);
    expect(json.issuer).toBe(`https://localhost:${server.httpPort}/oauth/demo`);
    const keys = await ask(server, String(json.jwks_uri));
    expect(keys.json.keys).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }]);
    expect(keys.text).not.toContain('"d"');
    for (const name of ['token', 'introspection', 'revocation', 'device_authorization']) {
      const answer = await ask(server, String(json[`${name}_endpoint`]), { form: {} });
      expect(answer.json.error, name).toBe('invalid_request');
    }
  });

  it('is there for no organisation that was not named, and has no other doors', async () => {
    for (const path of [
      '/oauth/other/jwks',
      '/oauth/nobody/jwks',
      '/oauth/demo/auth',
      '/oauth/demo/reg',
      '/oauth/demo/me',
    ]) {
      expect((await ask(server, path)).status, path).toBe(404);
    }
    expect((await ask(server, '/oauth/demo/token')).status).toBe(405);
  });

  it('gives an application a signed, short-lived token for its own token as secret', async () => {
    const { status, json, headers } = await clientCredentials(server);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 300 });
    const { payload } = await verified(server, json.access_token);
    expect(payload).toMatchObject({ sub: 'application:desk', client_id: server.keys.desk });
    expect(payload.scope).toBeUndefined();
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
  });

  it('knows an application by its id as well, and takes the secret in the form', async () => {
    const form = { grant_type: 'client_credentials', client_id: 'desk', client_secret: server.tokens.desk ?? '' };
    const { json } = await ask(server, '/oauth/demo/token', { form });
    expect((await verified(server, json.access_token)).payload.sub).toBe('application:desk');
  });

  it('puts into a token the scopes that were asked for and are permitted', async () => {
    const { json } = await clientCredentials(server, { scope: `${EVENTS} ${COMMANDS}` });
    expect(json.scope).toBe(`${EVENTS} ${COMMANDS}`);
    expect((await verified(server, json.access_token)).payload.scope).toBe(`${EVENTS} ${COMMANDS}`);
  });

  it.each([
    ['more than the policy permits', scope('subscribe', '#')],
    ['more than the policy permits, to publish', scope('publish', 'iot-2/#')],
    ['something that is no scope of ours', 'openid'],
    ['something that cannot be read', 'mqtt:publish:a/#/b'],
  ])('gives no token to who asks for %s', async (_, asked) => {
    const { status, json } = await clientCredentials(server, { scope: `${EVENTS} ${asked}` });
    expect(status).toBe(400);
    expect(json.error).toBe('invalid_scope');
  });

  it('asks the policy in force, with the role that the application has now', async () => {
    const { applications } = server.server.registry;
    const lab = { organisation: 'demo', id: 'lab', by: 'system' };
    expect((await clientCredentials(server, { scope: COMMANDS }, 'lab')).status).toBe(200);
    await applications.update({ ...lab, role: 'visualization' });
    expect((await clientCredentials(server, { scope: COMMANDS }, 'lab')).json.error).toBe('invalid_scope');
    expect((await clientCredentials(server, { scope: EVENTS }, 'lab')).status).toBe(200);
    await applications.update({ ...lab, role: 'standard' });
  });

  it.each([
    ['suspended', (by: object) => server.server.registry.applications.suspend(by as never)],
    ['removed', (by: object) => server.server.registry.applications.remove(by as never)],
  ])('gives no token to an application that was %s', async (_, end) => {
    const name = { organisation: 'demo', id: `ends-${_}`, by: 'system' };
    const { record, token } = await server.server.registry.applications.create(name);
    const form = { grant_type: 'client_credentials' };
    expect((await ask(server, '/oauth/demo/token', { form, basic: [record.key, token] })).status).toBe(200);
    await end(name);
    const { status, json } = await ask(server, '/oauth/demo/token', { form, basic: [record.key, token] });
    expect([status, json.error]).toEqual([401, 'invalid_client']);
  });

  it('lets an application prove itself by a signature, once for each assertion', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'first' } as never;
    await server.server.registry.clientKeys.add({ organisation: 'demo', application: 'tap', jwk, by: 'system' });
    const issuer = `https://localhost:${server.httpPort}/oauth/demo`;
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'first' })
      .setIssuer('tap')
      .setSubject('tap')
      .setAudience(issuer)
      .setJti('one')
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey);
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    };
    const { json } = await ask(server, '/oauth/demo/token', { form });
    expect((await verified(server, json.access_token)).payload.sub).toBe('application:tap');
    expect((await ask(server, '/oauth/demo/token', { form })).json.error).toBe('invalid_client');
  });
});

describe('a device without a secret', () => {
  it('gets a token when its owner has approved it on the page, and renews it', async () => {
    const { json: begun } = await begin(server, { scope: scope('publish', 'iot-2/evt/+/fmt/+') });
    expect(begun.user_code).toMatch(/^[B-Z]{4}-[B-Z]{4}$/);
    expect(begun.verification_uri).toBe(`https://localhost:${server.httpPort}/oauth/demo/device`);
    expect((await poll(server, begun.device_code)).json.error).toBe('authorization_pending');

    const form = await ask(server, String(begun.verification_uri_complete));
    expect(form.text).toContain(`value="${String(begun.user_code)}"`);
    const userCode = String(begun.user_code).toLowerCase();
    const question = await submit(server, { user_code: userCode, operator_token: server.operatorToken });
    expect(question.text).toContain('device:demo/pump/pump-7');
    const done = await submit(server, { ...hidden(question), decision: 'approve' });
    expect(done.text).toContain('The device is approved');

    const { json: granted } = await poll(server, begun.device_code);
    const { payload } = await verified(server, granted.access_token);
    expect(payload).toMatchObject({ sub: 'device:pump/pump-7', client_id: CLIENT });
    expect(payload.scope).toBe(scope('publish', 'iot-2/evt/+/fmt/+'));
    expect((await poll(server, begun.device_code)).json.error).toBe('invalid_grant');
  });

  it('renews its token until it is suspended or removed', async () => {
    let granted = await approved(server);
    const renew = () =>
      ask(server, '/oauth/demo/token', {
        form: { grant_type: 'refresh_token', refresh_token: String(granted.refresh_token), client_id: CLIENT },
      });
    ({ json: granted } = await renew());
    expect((await verified(server, granted.access_token)).payload.sub).toBe('device:pump/pump-7');
    const device = { organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' };
    await server.server.registry.devices.suspend(device);
    expect((await renew()).json.error).toBe('invalid_grant');
    await server.server.registry.devices.resume(device);
  });

  it('gets none when its owner denies it', async () => {
    const { json: begun } = await begin(server);
    await decide(server, begun.user_code, 'deny');
    expect((await poll(server, begun.device_code)).json.error).toBe('access_denied');
  });
});

describe('opaque tokens', () => {
  const post = (path: string, form: Readonly<Record<string, string>>, id = 'desk') =>
    ask(opaque, `/oauth/demo/token/${path}`, { form, basic: credentials(opaque, id) });

  it('can be asked about by whom they were issued to and by trusted applications, and revoked', async () => {
    const { json } = await clientCredentials(opaque, { scope: EVENTS });
    const token = String(json.access_token);
    expect(token.split('.')).toHaveLength(1);
    expect((await post('introspection', { token })).json).toMatchObject({
      active: true,
      sub: 'application:desk',
      scope: EVENTS,
      aud: 'sallyport:demo',
      iss: `https://localhost:${opaque.httpPort}/oauth/demo`,
    });
    expect((await post('introspection', { token }, 'tap')).json).toEqual({ active: false });
    await opaque.server.registry.applications.update({
      organisation: 'demo',
      id: 'tap',
      role: 'backend-trusted',
      by: 'system',
    });
    expect((await post('introspection', { token }, 'tap')).json.active).toBe(true);
    expect((await post('revocation', { token }, 'tap')).status).toBe(400);
    expect((await post('introspection', { token })).json.active).toBe(true);
    expect((await post('revocation', { token })).status).toBe(200);
    expect((await post('introspection', { token })).json).toEqual({ active: false });
  });
});

describe('the first door', () => {
  const login = (of: TestServer, clientId: string, token: unknown, version: 4 | 5 = 5) =>
    RawClient.login(
      of,
      { clientId, username: 'use-access-token', password: Buffer.from(String(token)), keepAlive: 0 },
      version,
    );
  const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';
  async function publishes(client: RawClient): Promise<boolean> {
    client.publish(COMMAND, 'x', { qos: 1 });
    return ((await client.takeOrEnd('puback'))?.reasonCode ?? 0x80) < 0x80;
  }

  it.each([4, 5] as const)(
    'takes its own tokens without being told, with the scopes that they have: version %s',
    async (v) => {
      const { json } = await clientCredentials(server, { scope: COMMANDS });
      const { client, code } = await login(server, 'a:demo:desk', json.access_token, v);
      expect(code).toBe(0);
      expect(await publishes(client)).toBe(true);
      expect(await client.subscribe('iot-2/type/+/id/+/evt/+/fmt/+')).not.toBe(0);
      const { json: whole } = await clientCredentials(server);
      const { client: other } = await login(server, 'a:demo:desk', whole.access_token, v);
      expect(await other.subscribe('iot-2/type/+/id/+/evt/+/fmt/+')).toBe(0);
      expect((await login(server, 'a:demo:tap', whole.access_token)).code).toBe(0x87);
    },
  );

  it('takes the token of a device that its owner has approved', async () => {
    const granted = await approved(server);
    const { client, code } = await login(server, CLIENT, granted.access_token);
    expect(code).toBe(0);
    expect(await client.subscribe('iot-2/cmd/+/fmt/+')).toBe(0);
    expect((await login(server, 'd:demo:pump:pump-8', granted.access_token)).code).toBe(0x87);
  });

  it('ends the sessions on tokens of keys that were withdrawn, and takes those of the new one', async () => {
    const { json: before } = await clientCredentials(server);
    const { client } = await login(server, 'a:demo:desk', before.access_token);
    await server.api.oauth.rotateKeys('demo', { atOnce: true });
    await client.gone;
    expect((await login(server, 'a:demo:desk', before.access_token)).code).toBe(0x87);
    const { json: after } = await clientCredentials(server);
    expect((await login(server, 'a:demo:desk', after.access_token)).code).toBe(0);
  });

  it('takes its own opaque tokens until they are revoked', async () => {
    const { json } = await clientCredentials(opaque, { scope: COMMANDS });
    const { client, code } = await login(opaque, 'a:demo:desk', json.access_token);
    expect(code).toBe(0);
    expect(await publishes(client)).toBe(true);
    const form = { token: String(json.access_token) };
    await ask(opaque, '/oauth/demo/token/revocation', { form, basic: credentials(opaque) });
    let last: number;
    do ({ code: last } = await login(opaque, 'a:demo:desk', json.access_token));
    while (last === 0);
    expect(last).toBe(0x87);
  });
});
