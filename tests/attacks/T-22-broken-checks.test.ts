import { request } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqliteBinding } from '../../packages/server/src/storage/binding.ts';
import { type TestServer, testServer } from '../server.ts';
import { identity, LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
});
afterEach(() => server.close());

const sqlite = await sqliteBinding();

/** Breaks the registry under the server, as a failing disk or a careless hand does. */
function sabotage(statement: string): void {
  const database = sqlite.open(join(server.directory, 'registry.db'), 5000);
  database.execute(statement);
  database.close();
}

const BROKEN = { 4: 3, 5: 0x88 } as const;

describe.each(VERSIONS)('with version %s', (version) => {
  it.each(['devices', 'types', 'applications', 'credentials', 'organisations'])(
    'nobody comes in when the table %s is gone',
    async (table) => {
      sabotage(`pragma foreign_keys = off; alter table ${table === 'types' ? 'device_types' : table} rename to lost`);
      for (const who of ['pump-8', 'desk', 'hub-1']) {
        for (const login of [identity(server, who), { ...identity(server, who), password: Buffer.from('wrong-1') }]) {
          const { client, code } = await RawClient.login(server, login, version);
          // Some of them do not need the table; but nobody with a wrong token comes in.
          if (login.password?.toString() === 'wrong-1') expect(code).not.toBe(0);
          else expect([0, BROKEN[version]]).toContain(code);
          await client.vanish();
        }
      }
      const { code } = await RawClient.login(
        server,
        { clientId: 'x', username: 'somebody', password: Buffer.from('x') },
        version,
      );
      expect(code).not.toBe(0);
    },
  );

  it('no device comes in, and no other way is tried, when credentials cannot be read', async () => {
    sabotage('pragma foreign_keys = off; alter table credentials rename to lost');
    for (const who of ['pump-8', 'desk', 'hub-1', 'other/pump-7']) {
      const { client, code } = await RawClient.login(server, identity(server, who), version);
      expect(code).toBe(BROKEN[version]);
      await client.gone;
    }
    const { status } = await fetchStatus('/api/v1/organisations');
    expect(status).toBeGreaterThanOrEqual(500);
  });

  it('nobody comes in when the policy cannot be read', async () => {
    await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
    sabotage('alter table policies rename to lost');
    for (const who of ['pump-7', 'desk', 'lab']) {
      const { client, code } = await RawClient.login(server, identity(server, who), version);
      expect(code).toBe(BROKEN[version]);
      await client.gone;
    }
  });

  it('nobody comes in, and nobody who is in may do anything, when the policy on record makes no sense', async () => {
    const inside = await RawClient.open(server, 'pump-7', {}, 5);
    await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
    const broken = new Promise((resolve) => server.server.events.on('defect', resolve));
    sabotage(
      `create trigger spoil after insert on policies begin update policies set text = '{"statements":[{"effect":"allow"}]}' where version = new.version; end`,
    );
    await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
    await broken;
    inside.publish('iot-2/evt/status/fmt/json', 'x', { qos: 1 });
    const answer = await inside.takeOrEnd('puback');
    if (answer) expect(answer.reasonCode).toBeGreaterThanOrEqual(0x80);
    const { code } = await RawClient.login(server, identity(server, 'desk'), version);
    expect(code).toBe(BROKEN[version]);
  });
});

it('a change that the store did not take is not acknowledged, and changes nothing', async () => {
  const client = await RawClient.open(server, 'pump-7');
  sabotage('pragma foreign_keys = off; alter table devices rename to lost');
  const name = { organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' };
  await expect(server.server.registry.devices.suspend(name)).rejects.toThrow();
  expect(await client.settled()).toBe(true);
  await client.vanish();
});

async function fetchStatus(path: string): Promise<{ status: number }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${server.operatorToken}` };
    const sent = request({ host: 'localhost', port: server.httpPort, path, headers, ca: server.rootPem, agent: false });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0 });
    });
    sent.end();
  });
}
