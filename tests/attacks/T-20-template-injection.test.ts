// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { policy, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
const principals = ['application:demo/lab'];
beforeAll(async () => {
  server = await testServer();
  const text = policy(
    { principals, actions: ['connect'], resources: ['*'] },
    { principals, actions: ['publish', 'subscribe', 'receive'], resources: ['own/${client.id}/#', '${client.id}/x'] },
    { principals: ['application:demo/tap'], actions: ['subscribe', 'receive'], resources: ['own/#', 'other/#', '+/x'] },
  );
  await server.server.registry.policies.put({ organisation: 'demo', text, by: 'system' });
});
afterAll(() => server.close());

/** Client ids that are meant to become more than a name. */
const IDS = [
  '#',
  '+',
  'a/#',
  '+/+',
  'own/+',
  'x/../other',
  '../other',
  'a/b',
  '/',
  '//',
  '/#',
  '$SYS',
  '$share',
  'iot-2',
  '${principal.id}',
  '${client.id}',
  '*',
  '**',
  'other',
  '%2f',
  '%2b',
  '\u202e#',
  '＃',
  '＋',
  'a\u0301',
];
const FOREIGN = [
  'own/other/1',
  'own/1',
  'other/1',
  'other/x',
  'a/x',
  'x',
  'own',
  '$SYS/x',
  'iot-2/x',
  'own/lab/1',
  'own/${principal.id}x/1',
];

describe.each(VERSIONS)('with version %s', (version) => {
  it.each(IDS)('the client id %j opens no topic of another', async (clientId) => {
    const witness = await RawClient.open(server, 'tap');
    for (const filter of ['own/#', 'other/#', '+/x']) expect(await witness.subscribe(filter)).toBe(0);
    await witness.heard();
    const own = (topic: string) => topic === `${clientId}/x` || topic.startsWith(`own/${clientId}/`);
    for (const topic of FOREIGN.filter((one) => !own(one))) {
      const { client, code } = await RawClient.login(server, { ...labLogin(), clientId }, version);
      if (code !== 0) break;
      client.publish(topic, 'forged', { qos: 1 });
      const answer = await client.takeOrEnd('puback');
      if (answer !== undefined) expect([topic, answer.reasonCode]).toEqual([topic, 0x87]);
      await client.vanish();
    }
    for (const filter of ['#', '+/x', 'own/#', 'own/+/1', 'own/+/#', 'other/#', 'own/other/#']) {
      if (filter.startsWith(`own/${clientId}/`) && !/[+#]/.test(clientId)) continue;
      const { client, code } = await RawClient.login(server, { ...labLogin(), clientId }, version);
      if (code !== 0) break;
      const answer = await client.subscribe(filter);
      if (answer !== 'closed') expect([filter, answer >= 0x80]).toEqual([filter, true]);
      await client.vanish();
    }
    expect(await witness.heard()).toEqual([]);
    await witness.vanish();
  });

  it('an ordinary client id has its own topics', async () => {
    const client = await RawClient.open(server, 'lab', { clientId: 'mine' }, version);
    expect(await client.subscribe('own/mine/#')).toBe(0);
    client.publish('own/mine/1', 'x');
    expect(await client.heard()).toEqual(['own/mine/1 x']);
    await client.vanish();
  });
});

it('a deny that is filled in with a wildcard takes more, not less', async () => {
  const text = policy(
    { principals, actions: ['connect'], resources: ['*'] },
    { principals, actions: ['publish'], resources: ['#'] },
    { effect: 'deny', principals, actions: ['publish'], resources: ['secret/${client.id}/#'] },
  );
  await server.server.registry.policies.put({ organisation: 'demo', text, by: 'system' });
  for (const clientId of ['#', 'a/b', '+']) {
    const client = await RawClient.open(server, 'lab', { clientId });
    client.publish('secret/anything/1', 'x', { qos: 1 });
    expect(await client.take('puback')).toMatchObject({ reasonCode: 0x87 });
    await client.vanish();
  }
});

it.each(['a+', 'a#', 'a/b', '+', '#', 'a b', '', 'ä', 'a'.repeat(37), '*', '${x}'])(
  'nothing can be named %j',
  async (id) => {
    const { organisations, types, devices, applications } = server.server.registry;
    const by = 'system';
    await expect(devices.create({ organisation: 'demo', type: 'pump', id, by })).rejects.toThrow();
    await expect(types.create({ organisation: 'demo', id, by })).rejects.toThrow();
    await expect(applications.create({ organisation: 'demo', id, by })).rejects.toThrow();
    await expect(organisations.create({ id, by })).rejects.toThrow();
  },
);

function labLogin() {
  return { username: server.keys.lab ?? '', password: Buffer.from(server.tokens.lab ?? '') };
}
