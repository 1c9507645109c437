import { afterAll, beforeAll, expect, it } from 'vitest';
import { begin, PUMP } from '../device-flow.ts';
import { ask } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

const MOST = 5;
let server: TestServer;
beforeAll(async () => {
  server = await testServer({
    'authorizationServer.organisations': ['demo'],
    'authorizationServer.deviceInterval': '100ms',
    'authorizationServer.maximumPendingDevices': MOST,
  });
});
afterAll(() => server.close());

it('bounds the devices that wait, and begins no more until some have ended', async () => {
  const statuses: number[] = [];
  for (let attempt = 0; attempt < MOST + 3; attempt++) statuses.push((await begin(server)).status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(MOST);
  expect(statuses.at(-1)).toBe(429);
  const other = await ask(server, '/oauth/demo/token', {
    form: { grant_type: 'client_credentials' },
    basic: ['desk', server.tokens.desk ?? ''],
  });
  expect(other.status).toBe(200);
});

it('bounds how often one address may begin', async () => {
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 30; attempt++) statuses.push((await begin(server)).status);
  expect(new Set(statuses)).toEqual(new Set([429]));
});

it.each(['/oauth/demo/token', '/oauth/demo/device/auth', '/oauth/demo/device'])(
  'takes no endless form at %s',
  async (path) => {
    const answer = await ask(server, path, { form: { client_id: PUMP, padding: 'x'.repeat(200_000) } }).catch(() => ({
      status: 0,
    }));
    expect([0, 413, 429]).toContain(answer.status);
  },
);
