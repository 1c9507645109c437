import { afterAll, beforeAll, expect, it } from 'vitest';
import { begin, decide, hidden, poll, submit } from '../device-flow.ts';
import { ask, scope } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({
    'authorizationServer.organisations': ['demo', 'other'],
    'authorizationServer.deviceInterval': '100ms',
  });
});
afterAll(() => server.close());

const look = (userCode: unknown) =>
  submit(server, { user_code: String(userCode), operator_token: server.operatorToken });

it('approves nothing by a form that does not come from the page with the question', async () => {
  const { json } = await begin(server);
  for (const form of [{}, { ticket: '' }, { ticket: 'b3BlcmF0b3I6YWRtaW4.99999999999999.x' }]) {
    const answer = await submit(server, { user_code: String(json.user_code), decision: 'approve', ...form });
    expect(answer.status).toBe(403);
  }
  expect((await poll(server, json.device_code)).json.error).toBe('authorization_pending');
});

it('takes a ticket for the one request that the owner has seen', async () => {
  const { json: seen } = await begin(server);
  const { json: hiddenOne } = await begin(server, { client_id: 'd:demo:pump:pump-8' });
  const { ticket } = hidden(await look(seen.user_code));
  const stolen = { user_code: String(hiddenOne.user_code).replace('-', ''), ticket, decision: 'approve' };
  expect((await submit(server, stolen)).status).toBe(403);
  const answer = await ask(server, '/oauth/other/device', { form: { ...stolen, user_code: String(seen.user_code) } });
  expect(answer.status).toBe(403);
});

it('shows pages that cannot be framed, run nothing, load nothing, set no cookie and are not kept', async () => {
  const { json } = await begin(server);
  for (const { headers, text } of [await ask(server, '/oauth/demo/device'), await look(json.user_code)]) {
    const policy = String(headers['content-security-policy']);
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) {
      expect(policy).toContain(part);
    }
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['set-cookie']).toBeUndefined();
    expect(text).not.toMatch(/<script|javascript:|onclick|https?:\/\//i);
  }
});

it('escapes what a stranger wrote, in the link and in the scopes', async () => {
  const link = await ask(server, `/oauth/demo/device?user_code=${encodeURIComponent('"><script>alert(1)</script>')}`);
  expect(link.text).not.toContain('<script>');
  const { json } = await begin(server, { scope: "mqtt:publish:iot-2/<img/src=x/onerror='alert(1)'>" });
  const question = await look(json.user_code);
  expect(question.text).toContain('&#60;img');
  expect(question.text).not.toContain('<img');
});

it('names the address of the configuration, whatever host the request names', async () => {
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
  for (const path of ['/oauth/demo/.well-known/openid-configuration', '/oauth/demo/device']) {
    expect((await ask(server, path, { headers })).text).not.toContain('evil.example');
  }
  const form = { client_id: 'd:demo:pump:pump-7', scope: scope('publish', 'iot-2/evt/e/fmt/json') };
  const { json } = await ask(server, '/oauth/demo/device/auth', { form, headers });
  expect(json.verification_uri).toBe(`https://localhost:${server.httpPort}/oauth/demo/device`);
});

it('records who approved what', async () => {
  const { json } = await begin(server);
  await decide(server, json.user_code, 'approve');
  const { items } = await server.api.audit({ type: 'device.approved' });
  expect(items[0]).toMatchObject({ principal: 'device:demo/pump/pump-7', by: 'operator:admin', address: '127.0.0.1' });
});
