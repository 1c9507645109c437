import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { approved, begin } from '../device-flow.ts';
import { ask } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({
    'authorizationServer.organisations': ['demo'],
    'authorizationServer.deviceInterval': '100ms',
    'authorizationServer.accessTokens': 'opaque',
  });
});
afterAll(() => server.close());

it('keeps no token, code or private key in the clear, in no file but the key beside the database', async () => {
  const { json: begun } = await begin(server);
  const granted = await approved(server);
  const { json: own } = await ask(server, '/oauth/demo/token', {
    form: { grant_type: 'client_credentials' },
    basic: ['desk', server.tokens.desk ?? ''],
  });
  const secrets = [
    begun.device_code,
    String(begun.user_code),
    String(begun.user_code).replace('-', ''),
    granted.access_token,
    granted.refresh_token,
    own.access_token,
    '"d":"',
  ].map(String);
  const files = readdirSync(server.directory).filter((name) => name.startsWith('registry.db'));
  expect(files.length).toBeGreaterThan(0);
  for (const name of files) {
    const bytes = readFileSync(join(server.directory, name));
    for (const secret of secrets) expect(bytes.includes(secret), `${name}: ${secret.slice(0, 4)}…`).toBe(false);
  }
});

it('takes no hash from the database for a token', async () => {
  const granted = await approved(server);
  const hash = `=hash=${'0'.repeat(64)}`;
  const form = { grant_type: 'refresh_token', refresh_token: hash, client_id: 'd:demo:pump:pump-7' };
  expect((await ask(server, '/oauth/demo/token', { form })).json.error).toBe('invalid_grant');
  expect(granted.refresh_token).toBeDefined();
});
