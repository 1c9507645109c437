import { rmSync } from 'node:fs';
import { loadConfiguration, startServer } from '@sallyport/server';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { approved, PUMP } from '../device-flow.ts';
import { ask, scope } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { startedAgain } from '../started-again.ts';

const EVENTS = scope('subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+');
const switchedOn = { 'authorizationServer.organisations': ['demo'], 'authorizationServer.deviceInterval': '100ms' };

let server: TestServer;
beforeAll(async () => {
  server = await testServer(switchedOn);
});
afterAll(() => server.close());

type Form = Readonly<Record<string, string>>;
const post = (path: string, form: Form, id = 'desk') =>
  ask(server, `/oauth/demo/token${path}`, { form, basic: [id, server.tokens[id] ?? ''] });
const issued = async (id = 'desk'): Promise<string> =>
  String((await post('', { grant_type: 'client_credentials', scope: EVENTS }, id)).json.access_token);
const active = async (token: string, id = 'desk') => (await post('/introspection', { token }, id)).json.active;

async function login(
  token: string,
  clientId = 'a:demo:desk',
  version: 4 | 5 = 5,
  at: Pick<TestServer, 'host' | 'port' | 'rootPem'> = server,
) {
  const password = Buffer.from(token);
  return RawClient.login(at as TestServer, { clientId, username: 'use-access-token', password, keepAlive: 0 }, version);
}

describe.each([4, 5] as const)('a signed token that is revoked (MQTT version %s)', (version) => {
  it('ends its session at once, and no other, and opens nothing any more', async () => {
    const [token, other] = [await issued(), await issued('tap')];
    const { client, code } = await login(token, 'a:demo:desk', version);
    const { client: neighbour } = await login(other, 'a:demo:tap', version);
    expect(code).toBe(0);
    expect((await post('/revocation', { token })).status).toBe(200);
    if (version === 5) expect((await client.take('disconnect')).reasonCode).toBe(0x87);
    await client.gone;
    expect((await login(token, 'a:demo:desk', version)).code).not.toBe(0);
    expect(await neighbour.settled()).toBe(true);
    expect((await login(await issued(), 'a:demo:desk', version)).code).toBe(0);
    const { items } = await server.api.refusals({ organisation: 'demo' });
    const refusal = items.find(({ reason, action }) => reason === 'access_token_revoked' && action === 'connect');
    expect(refusal?.steps.at(-1)?.text).toContain('was revoked by application:demo/desk at');
  });
});

describe('introspection of signed tokens', () => {
  it('tells owner and trusted applications what the token says, and others nothing', async () => {
    const token = await issued();
    const { jti, sub, exp } = decodeJwt(token);
    const { json } = await post('/introspection', { token });
    expect(json).toMatchObject({
      active: true,
      jti,
      sub,
      exp,
      scope: EVENTS,
      aud: 'sallyport:demo',
      token_type: 'Bearer',
    });
    expect((await post('/introspection', { token }, 'tap')).json).toEqual({ active: false });
    const tap = { organisation: 'demo', id: 'tap', by: 'system' };
    await server.server.registry.applications.update({ ...tap, role: 'backend-trusted' });
    expect(await active(token, 'tap')).toBe(true);
    await server.server.registry.applications.update({ ...tap, role: 'standard' });
  });

  it('says of a revoked one, of one that is none and of one whose client is suspended that it is inactive', async () => {
    const token = await issued();
    expect(await active(token)).toBe(true);
    await post('/revocation', { token, token_type_hint: 'access_token' });
    expect((await post('/introspection', { token })).json).toEqual({ active: false });
    const second = await issued('lab');
    expect(await active('eyJhbGciOiJub25lIn0.e30.x')).toBe(false);
    await server.server.registry.applications.update({
      organisation: 'demo',
      id: 'desk',
      role: 'operations',
      by: 'system',
    });
    expect(await active(second)).toBe(true);
    await server.server.registry.applications.suspend({ organisation: 'demo', id: 'lab', by: 'system' });
    expect(await active(second)).toBe(false);
    await server.server.registry.applications.resume({ organisation: 'demo', id: 'lab', by: 'system' });
    await server.server.registry.applications.update({
      organisation: 'demo',
      id: 'desk',
      role: 'standard',
      by: 'system',
    });
  });
});

describe('an approval that ends', () => {
  const form = (token: unknown) => ({ client_id: PUMP, refresh_token: String(token), grant_type: 'refresh_token' });

  it('takes the signed tokens with it: the device gives its refresh token back', async () => {
    const granted = await approved(server);
    const { client, code } = await login(String(granted.access_token), PUMP);
    expect(code).toBe(0);
    const back = { client_id: PUMP, token: String(granted.refresh_token) };
    expect((await ask(server, '/oauth/demo/token/revocation', { form: back })).status).toBe(200);
    await client.gone;
    expect((await login(String(granted.access_token), PUMP)).code).toBe(0x87);
  });

  it('takes them with it when a refresh token is used a second time', async () => {
    const first = await approved(server);
    const { json: second } = await ask(server, '/oauth/demo/token', { form: form(first.refresh_token) });
    expect((await login(String(second.access_token), PUMP)).code).toBe(0);
    expect((await ask(server, '/oauth/demo/token', { form: form(first.refresh_token) })).json.error).toBe(
      'invalid_grant',
    );
    expect((await login(String(second.access_token), PUMP)).code).toBe(0x87);
  });
});

describe('an operator', () => {
  it('revokes one token by its id, and sees it in the list until it has expired', async () => {
    const token = await issued();
    const { client } = await login(token);
    const jti = String(decodeJwt(token).jti);
    const made = await server.api.oauth.revokeToken('demo', { jti });
    expect(made).toMatchObject({ what: 'token', name: jti, revokedBy: 'operator:admin' });
    await client.gone;
    expect((await server.api.oauth.revokedTokens('demo')).items).toContainEqual(made);
    await expect(server.api.oauth.revokeToken('demo', { jti: 'no id' })).rejects.toThrow(/jti/);
    await expect(server.api.oauth.revokeToken('demo', {} as never)).rejects.toThrow();
    await expect(server.api.oauth.revokeToken('demo', { principal: 'application:other/desk' })).rejects.toThrow();
  });

  it('revokes everything that a principal was given, and what it fetches later counts', async () => {
    const token = await issued('lab');
    const granted = await approved(server);
    const { client } = await login(String(granted.access_token), PUMP);
    await server.api.oauth.revokeToken('demo', { principal: 'device:demo/pump/pump-7' });
    await client.gone;
    const form = { client_id: PUMP, refresh_token: String(granted.refresh_token), grant_type: 'refresh_token' };
    expect((await ask(server, '/oauth/demo/token', { form })).json.error).toBe('invalid_grant');
    expect((await login(token, 'a:demo:lab')).code).toBe(0);
    await server.api.oauth.revokeToken('demo', { principal: 'application:demo/lab' });
    expect((await login(token, 'a:demo:lab')).code).toBe(0x87);
    let later: number;
    do later = (await login(await issued('lab'), 'a:demo:lab')).code;
    while (later !== 0);
    expect(later).toBe(0);
  });
});

describe.each([4, 5] as const)('an opaque token that is taken back (MQTT version %s)', (version) => {
  let opaque: TestServer;
  beforeAll(async () => {
    opaque = await testServer({ ...switchedOn, 'authorizationServer.accessTokens': 'opaque' });
  });
  afterAll(() => opaque.close());
  const call = (path: string, form: Form, id: string) =>
    ask(opaque, `/oauth/demo/token${path}`, { form, basic: [id, opaque.tokens[id] ?? ''] });
  const fetched = async (id: string) =>
    String((await call('', { grant_type: 'client_credentials' }, id)).json.access_token);
  const enter = (token: string, id: string) => login(token, `a:demo:${id}`, version, opaque);

  // Without being told, the server would not ask again for a minute.
  it('ends its session when its client gives it back, and no other', async () => {
    const [token, other] = [await fetched('lab'), await fetched('tap')];
    const { client, code } = await enter(token, 'lab');
    const { client: neighbour } = await enter(other, 'tap');
    expect(code).toBe(0);
    expect((await call('/revocation', { token }, 'lab')).status).toBe(200);
    if (version === 5) expect((await client.take('disconnect')).reasonCode).toBe(0x87);
    await client.gone;
    expect((await enter(token, 'lab')).code).not.toBe(0);
    expect(await neighbour.settled()).toBe(true);
    await expect
      .poll(async () => (await opaque.api.audit({ type: 'token.revoked' })).items)
      .toContainEqual(expect.objectContaining({ principal: 'application:demo/lab', by: 'application:demo/lab' }));
    const text = JSON.stringify((await opaque.api.audit({ type: 'token.revoked' })).items);
    expect(text).not.toContain(token);
  });

  it('ends its session when an operator takes all of its principal back', async () => {
    const { client } = await enter(await fetched('lab'), 'lab');
    const { client: neighbour } = await enter(await fetched('tap'), 'tap');
    await opaque.api.oauth.revokeToken('demo', { principal: 'application:demo/lab' });
    await client.gone;
    expect(await neighbour.settled()).toBe(true);
  });

  it('ends the session of a device that gives its refresh token back', async () => {
    const granted = await approved(opaque);
    const { client, code } = await login(String(granted.access_token), PUMP, version, opaque);
    expect(code).toBe(0);
    const back = { client_id: PUMP, token: String(granted.refresh_token) };
    expect((await ask(opaque, '/oauth/demo/token/revocation', { form: back })).status).toBe(200);
    await client.gone;
    expect((await login(String(granted.access_token), PUMP, version, opaque)).code).not.toBe(0);
  });
});

it('who is registered anew under the same name does not get the tokens of the first', async () => {
  const name = { organisation: 'demo', id: 'again', by: 'system' };
  const { token: secret } = await server.server.registry.applications.create(name);
  const { json } = await ask(server, '/oauth/demo/token', {
    form: { grant_type: 'client_credentials' },
    basic: ['again', secret],
  });
  expect((await login(String(json.access_token), 'a:demo:again')).code).toBe(0);
  await server.server.registry.applications.remove(name);
  await server.server.registry.applications.create(name);
  expect((await login(String(json.access_token), 'a:demo:again')).code).toBe(0x87);
});

it('a revocation survives a restart of the server', async () => {
  const first = await testServer(switchedOn);
  const basic = ['desk', first.tokens.desk ?? ''] as const;
  const configuration = loadConfiguration({
    overrides: {
      dataDirectory: first.directory,
      'listeners.mqttTls.port': 0,
      'listeners.http.port': first.httpPort,
      'log.level': 'silent',
      ...switchedOn,
    },
  });
  const issue = async () =>
    String(
      (await ask(first, '/oauth/demo/token', { form: { grant_type: 'client_credentials' }, basic })).json.access_token,
    );
  const [kept, token] = [await issue(), await issue()];
  await ask(first, '/oauth/demo/token/revocation', { form: { token }, basic });
  await first.server.close();
  const second = await startServer({ configuration });
  try {
    const at = { host: 'localhost', port: second.mqttPort ?? 0, rootPem: second.rootPem };
    expect((await login(token, 'a:demo:desk', 5, at)).code).toBe(0x87);
    expect((await login(kept, 'a:demo:desk', 5, at)).code).toBe(0);
  } finally {
    await second.close();
    rmSync(first.directory, { recursive: true, force: true });
  }
});

it('a session that is kept on an opaque token goes on after a restart, and its client comes back with that token', async () => {
  const settings = { ...switchedOn, 'authorizationServer.accessTokens': 'opaque' };
  let at = await testServer(settings);
  try {
    const basic = ['desk', at.tokens.desk ?? ''] as const;
    const form = { grant_type: 'client_credentials' };
    const token = String((await ask(at, '/oauth/demo/token', { form, basic })).json.access_token);
    const enter = () =>
      RawClient.login(at, {
        clientId: 'a:demo:desk',
        username: 'use-access-token',
        password: Buffer.from(token),
        cleanStart: false,
        properties: { sessionExpiryInterval: 3600 },
      });
    const { client } = await enter();
    await client.subscribe('iot-2/type/+/id/+/evt/+/fmt/+', { qos: 1 });
    await client.vanish();
    const pump = await RawClient.open(at, 'pump-7');
    pump.publish('iot-2/evt/a/fmt/json', 'waits', { qos: 1 });
    await pump.take('puback');
    at = await startedAgain(at, settings);
    const { client: back, code } = await enter();
    expect(code).toBe(0);
    expect(await back.heard()).toEqual(['iot-2/type/pump/id/pump-7/evt/a/fmt/json waits']);
    await ask(at, '/oauth/demo/token/revocation', { form: { token }, basic });
    await back.gone;
  } finally {
    await at.close();
  }
});
