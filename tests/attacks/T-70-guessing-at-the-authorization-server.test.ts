import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { begin, decide, PUMP, poll, submit } from '../device-flow.ts';
import { ask } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({
    'authorizationServer.organisations': ['demo'],
    'authorizationServer.deviceInterval': '100ms',
  });
});
afterAll(() => server.close());

const guess = (id: string, secret: string) =>
  ask(server, '/oauth/demo/token', { form: { grant_type: 'client_credentials' }, basic: [id, secret] });

it('answers everybody who cannot prove who he is in the same words', async () => {
  const wrong = [
    await guess(server.keys.desk ?? '', 'wrong-secret'),
    await guess('desk', server.tokens.tap ?? ''),
    await guess('nobody', 'wrong-secret'),
    await guess('a-demo-nobody1234', 'wrong-secret'),
    // The application of the same name of the neighbour, with its own right secret.
    await guess(server.keys['other/desk'] ?? '', server.tokens['other/desk'] ?? ''),
    await guess(PUMP, server.tokens['pump-7'] ?? ''),
  ];
  expect(new Set(wrong.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(wrong[0]?.status).toBe(401);
});

it('begins for every device, registered or not, and nobody can approve one that is not', async () => {
  const known = await begin(server);
  const unknown = await begin(server, { client_id: 'd:demo:pump:pump-99' });
  expect([unknown.status, Object.keys(unknown.json)]).toEqual([known.status, Object.keys(known.json)]);
  const pending = await poll(server, unknown.json.device_code, { client_id: 'd:demo:pump:pump-99' });
  expect(pending.json).toEqual((await poll(server, known.json.device_code)).json);
  const answer = await submit(server, {
    user_code: String(unknown.json.user_code),
    operator_token: server.operatorToken,
  });
  expect(answer.status).toBe(404);
});

it('lets nobody but an operator try the codes of devices', async () => {
  const { json } = await begin(server);
  for (const token of ['', 'wrong', server.tokens.desk ?? '', server.tokens['pump-7'] ?? '']) {
    const answer = await submit(server, { user_code: String(json.user_code), operator_token: token });
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain('pump-7');
  }
  const reader = await server.api.operators.create({ id: 'reader', role: 'reader' });
  const answer = await submit(server, { user_code: String(json.user_code), operator_token: reader.token ?? '' });
  expect(answer.status).toBe(403);
  expect((await poll(server, json.device_code)).json.error).toBe('authorization_pending');
});

it('stops listening to an address that only guesses, whatever it shows then', async () => {
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 40; attempt++) {
    statuses.push((await guess('desk', randomBytes(12).toString('hex'))).status);
  }
  expect(statuses.at(-1)).toBe(429);
  expect((await guess('desk', server.tokens.desk ?? '')).status).toBe(429);
});

it('explains a refusal to the operator, without the secret', async () => {
  const { items } = await server.api.refusals({ organisation: 'demo' });
  const refusal = items.find(({ reason }) => reason === 'oauth_client_rejected');
  expect(refusal?.steps[0]?.text).toContain('invalid_client');
  expect(JSON.stringify(items)).not.toContain('wrong-secret');
  expect((await decide(server, 'BCDF-GHJK', 'approve')).status).toBe(403);
});
