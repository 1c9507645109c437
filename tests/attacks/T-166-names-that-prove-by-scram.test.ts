import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { RawClient, VERSIONS } from './raw-client.ts';

const pump = { organisation: 'demo', type: 'pump', id: 'pump-7' };

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
  await server.api.devices.credentials.issue(pump, {
    password: { username: 'alice', password: 'correct horse battery', scram: true },
  });
});
afterEach(() => server.close());

const reasons = async () => (await server.api.refusals({ limit: 10 })).items.map(({ reason }) => reason);

describe.each(VERSIONS)('a password in CONNECT of version %s', (version) => {
  async function answer(username: string, password: string) {
    const client = await RawClient.dial(server, version);
    const connack = await client.connect({
      clientId: 'd:demo:pump:pump-7',
      username,
      password: Buffer.from(password),
      keepAlive: 0,
    });
    await client.vanish();
    const { reasonString, ...properties } = connack.properties ?? {};
    return { ...connack, properties: { ...properties, ticket: reasonString?.replace(/[A-Z0-9]{6}$/, '') } };
  }

  it('tells nobody whether its user name proves itself by SCRAM or is that of nobody, and operators what to do', async () => {
    const known = await answer('alice', 'a guess');
    expect(await reasons()).toEqual(['proves_by_scram']);
    const [refusal] = (await server.api.refusals({ limit: 1 })).items;
    expect(refusal?.steps.at(-1)?.text).toContain('User name "alice" (device:demo/pump/pump-7) has no password');
    expect(refusal?.cure).toContain('SCRAM-SHA-256');
    const unknown = await answer('mallory', 'a guess');
    expect(await reasons()).toContain('wrong_user_name');
    expect(known).toEqual(unknown);
    // The right password is no proof either: it has travelled.
    expect(await answer('alice', 'correct horse battery')).toEqual(unknown);
  });
});

it('a user name with a password of both kinds comes in by its password for CONNECT', async () => {
  await server.api.devices.credentials.issue(pump, { password: { username: 'alice', password: 'for CONNECT only' } });
  const login = { clientId: 'd:demo:pump:pump-7', username: 'alice', password: Buffer.from('for CONNECT only') };
  const { client, code } = await RawClient.login(server, login);
  expect(code).toBe(0);
  await client.vanish();
});
