import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ organisations: [{ id: 'demo', authenticators: ['certificate', 'password'] }] });
  const { credentials } = server.server.registry;
  await credentials.createPassword({
    principal: 'application:demo/desk',
    username: 'front-desk',
    password: 'a password of the desk',
    by: 'system',
  });
});
afterAll(() => server.close());

const login = async (clientId: string, username: string, password: string) =>
  (await RawClient.login(server, { clientId, username, password: Buffer.from(password), keepAlive: 0 })).code;

it('takes the kinds of proof that the organisation names', async () => {
  expect(await login('a:demo:desk', 'front-desk', 'a password of the desk')).toBe(0);
});

it('takes no other, also not where the client id hides the organisation', async () => {
  const [key, token] = [server.keys.desk ?? '', server.tokens.desk ?? ''];
  expect(await login('a:demo:desk', key, token)).toBe(0x87);
  expect(await login('d:demo:pump:pump-7', 'use-token-auth', server.tokens['pump-7'] ?? '')).toBe(0x87);
  for (const clientId of ['', 'plain', 'a:other:desk', 'd:other:pump:pump-7']) {
    expect(await login(clientId, key, token), clientId).not.toBe(0);
  }
});

it('asks nothing of this of another organisation', async () => {
  expect(await login('a:other:desk', server.keys['other/desk'] ?? '', server.tokens['other/desk'] ?? '')).toBe(0);
});
