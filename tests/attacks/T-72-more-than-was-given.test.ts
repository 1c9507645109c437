import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approved, begin, decide, hastily, PUMP, poll, submit } from '../device-flow.ts';
import { ask, scope } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({
    'authorizationServer.organisations': ['demo', 'other'],
    'authorizationServer.deviceInterval': '100ms',
    'authorizationServer.accessTokens': 'opaque',
  });
});
afterAll(() => server.close());

const OTHER = 'd:demo:pump:pump-8';
const renew = (token: unknown, clientId = PUMP, more: Readonly<Record<string, string>> = {}) =>
  ask(server, '/oauth/demo/token', {
    form: { grant_type: 'refresh_token', refresh_token: String(token), client_id: clientId, ...more },
  });

describe('a device', () => {
  it('cannot be approved for more than its policy permits', async () => {
    const { json } = await begin(server, { scope: scope('subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+') });
    const answer = await decide(server, json.user_code, 'approve');
    expect(answer.status).toBe(403);
    expect((await poll(server, json.device_code)).json.error).toBe('authorization_pending');
  });

  it('cannot redeem the code or the refresh token of another', async () => {
    const { json } = await begin(server);
    await decide(server, json.user_code, 'approve');
    expect((await poll(server, json.device_code, { client_id: OTHER })).json.error).toBe('invalid_grant');
    const { json: granted } = await poll(server, json.device_code);
    expect((await renew(granted.refresh_token, OTHER)).json.error).toBe('invalid_grant');
  });

  it('cannot use a code twice, also not at the same moment', async () => {
    const { json } = await begin(server);
    await decide(server, json.user_code, 'approve');
    const answers = await Promise.all(Array.from({ length: 6 }, () => hastily(server, json.device_code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    // Which of the two it is depends on how fast they come.
    expect(answers.filter(({ json: { error } }) => error === 'slow_down' || error === 'invalid_grant')).toHaveLength(5);
    // Two that come at the right time, one after the other, do not both get it either.
    expect((await poll(server, json.device_code)).json.error).toMatch(/invalid_grant|slow_down/);
  });

  it('loses everything when one of its refresh tokens is used a second time', async () => {
    const first = await approved(server);
    const { json: second } = await renew(first.refresh_token);
    expect(second.access_token).toBeDefined();
    expect((await renew(first.refresh_token)).json.error).toBe('invalid_grant');
    expect((await renew(second.refresh_token)).json.error).toBe('invalid_grant');
  });

  it('cannot widen its scope when it renews', async () => {
    const events = scope('publish', 'iot-2/evt/status/fmt/json');
    const granted = await approved(server, { scope: events });
    const answer = await renew(granted.refresh_token, PUMP, { scope: scope('publish', 'iot-2/evt/+/fmt/+') });
    expect(answer.json.error).toBe('invalid_scope');
  });

  it('that was removed cannot renew after it was registered anew under the same name', async () => {
    const granted = await approved(server);
    const device = { organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' };
    await server.server.registry.devices.remove(device);
    await server.server.registry.devices.create(device);
    expect((await renew(granted.refresh_token)).json.error).toBe('invalid_grant');
  });

  it('gets nothing by an approval that was already made', async () => {
    const { json } = await begin(server);
    await decide(server, json.user_code, 'deny');
    const again = await submit(server, { user_code: String(json.user_code), operator_token: server.operatorToken });
    expect(again.status).toBe(404);
  });
});

describe('a neighbour', () => {
  const issue = (organisation: string, key: string, secret: string) =>
    ask(server, `/oauth/${organisation}/token`, { form: { grant_type: 'client_credentials' }, basic: [key, secret] });

  it('gets nothing from the authorization server of another organisation', async () => {
    const [key = '', token = ''] = [server.keys['other/desk'], server.tokens['other/desk']];
    expect((await issue('other', key, token)).status).toBe(200);
    expect((await issue('demo', key, token)).json.error).toBe('invalid_client');
    const wrongDevice = await ask(server, '/oauth/demo/device/auth', { form: { client_id: 'd:other:pump:pump-7' } });
    expect(wrongDevice.json.error).toBe('invalid_client');
  });

  it('cannot ask about tokens of another organisation, and is known by other keys', async () => {
    const { json } = await issue('demo', server.keys.desk ?? '', server.tokens.desk ?? '');
    const asked = await ask(server, '/oauth/other/token/introspection', {
      form: { token: String(json.access_token) },
      basic: [server.keys['other/desk'] ?? '', server.tokens['other/desk'] ?? ''],
    });
    expect(asked.json).toEqual({ active: false });
    const keysOf = async (organisation: string) =>
      (await ask(server, `/oauth/${organisation}/jwks`)).json as unknown as JSONWebKeySet;
    expect((await keysOf('demo')).keys[0]?.kid).not.toBe((await keysOf('other')).keys[0]?.kid);
  });
});

it('no token counts that a withdrawn key has signed', async () => {
  const jwt = await testServer({
    'authorizationServer.organisations': ['demo'],
    'authorizationServer.deviceInterval': '100ms',
  });
  try {
    const keys = async () => createLocalJWKSet((await ask(jwt, '/oauth/demo/jwks')).json as unknown as JSONWebKeySet);
    const issue = async () =>
      String(
        (
          await ask(jwt, '/oauth/demo/token', {
            form: { grant_type: 'client_credentials' },
            basic: ['desk', jwt.tokens.desk ?? ''],
          })
        ).json.access_token,
      );
    const before = await issue();
    await jwt.api.oauth.rotateKeys('demo');
    expect((await jwtVerify(await issue(), await keys())).payload.sub).toBe('application:desk');
    await jwtVerify(before, await keys());
    await jwt.api.oauth.rotateKeys('demo', { atOnce: true });
    await expect(jwtVerify(before, await keys())).rejects.toThrow();
    await jwtVerify(await issue(), await keys());
  } finally {
    await jwt.close();
  }
});
