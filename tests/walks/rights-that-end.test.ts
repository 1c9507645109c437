import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identity, LABORATORY, policy, RawClient, VERSIONS } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { CAUSES, type Client, type Scene, SETTINGS } from './causes-of-an-end.ts';

const by = 'system';
const organisation = 'demo';
const EVENT = 'evt/status/fmt/json';
const COMMAND = 'cmd/go/fmt/json';
const TABLE = CAUSES.map((cause) => [cause.name, cause] as const);
const WILL = { payload: Buffer.from('will'), qos: 1, retain: false } as const;

let server: TestServer;
let scene: Scene | undefined;
beforeEach(async () => {
  server = await testServer(SETTINGS);
  await server.server.registry.organisations.update({ id: organisation, security: 'tls-optional', by });
});
afterEach(async () => {
  await server.close();
  await scene?.close?.();
  scene = undefined;
});

const registry = () => server.server.registry;
const everyone = { principals: ['device:demo/**', 'application:demo/*'] };
const willOf = ({ short }: Client) => ({ ...WILL, topic: `${short}evt/gone/fmt/json` });
const commandsOf = ({ short }: Client) => `${short}cmd/+/fmt/+`;
const sessions = async () => (await server.api.sessions.list(organisation)).items.map(({ clientId }) => clientId);

/** An application that hears every event, and can send commands. */
async function watching(): Promise<RawClient> {
  const desk = await RawClient.open(server, 'desk');
  await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
  return desk;
}

async function command(desk: RawClient, { full }: Client, payload: string): Promise<void> {
  desk.publish(`${full}${COMMAND}`, payload, { qos: 1 });
  expect((await desk.take('puback')).reasonCode).toBe(0);
}

describe.each(VERSIONS)('rights that end under a live session of version %s', (version) => {
  const keep =
    version === 5 ? { cleanStart: false, properties: { sessionExpiryInterval: 300 } } : { cleanStart: false };

  it.each(TABLE)(
    'when %s: it is closed, its will is not sent, its messages are gone, nobody else is touched',
    async (_, { scene: prepare }) => {
      scene = await prepare(server);
      const { subject, nearest, end } = scene;
      const desk = await watching();
      const bystanders = await Promise.all(
        (['hub-1', 'tap', 'other/pump-7'] as const)
          .filter((who) => ![subject, nearest].some(({ clientId }) => clientId === identity(server, who).clientId))
          .map((who) => RawClient.open(server, who)),
      );
      const beside = await nearest.open(version, keep);
      await beside.subscribe(commandsOf(nearest), { qos: 1 });
      const client = await subject.open(version, { ...keep, will: willOf(subject) });
      await client.subscribe(commandsOf(subject), { qos: 1 });
      client.publish(`${subject.short}${EVENT}`, 'before', { qos: 1 });
      await client.take('puback');
      expect(await desk.heard()).toEqual([`${subject.full}${EVENT} before`]);

      await end();
      await client.gone;
      client.publish(`${subject.short}${EVENT}`, 'after', { qos: 1 });
      if (version === 5) {
        const reasonCode = expect.toSatisfy((code: number) => code === 0x87 || code === 0x98);
        const properties = { reasonString: expect.stringMatching(/^ticket /) };
        expect(client.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode, properties }));
      }
      expect(await desk.heard()).toEqual([]);
      expect(await sessions()).not.toContain(subject.clientId);
      for (const bystander of bystanders) expect(await bystander.settled()).toBe(true);
      await command(desk, nearest, 'still');
      expect(await beside.heard()).toEqual([expect.stringMatching(/ still$/)]);
      beside.publish(`${nearest.short}${EVENT}`, 'still', { qos: 1 });
      expect((await beside.take('puback')).reasonCode).toBeLessThan(0x80);
    },
  );

  it.each(TABLE)(
    'when %s while its client is away: queue and will go with it or wait for judgement, and nothing of others',
    async (_, { scene: prepare, whileAway }) => {
      scene = await prepare(server);
      const { subject, nearest, end } = scene;
      const desk = await watching();
      const delayed = version === 5 ? { will: { ...willOf(subject), properties: { willDelayInterval: 200 } } } : {};
      for (const [client, more] of [
        [nearest, {}],
        [subject, delayed],
      ] as const) {
        const present = await client.open(version, { ...keep, ...more });
        await present.subscribe(commandsOf(client), { qos: 1 });
        await present.vanish();
      }
      const away = async () =>
        (await server.api.sessions.list(organisation)).items.filter(
          ({ connected, clientId }) => !connected && [subject, nearest].some((one) => one.clientId === clientId),
        );
      await expect.poll(async () => (await away()).length, { timeout: 20_000 }).toBe(2);
      for (const client of [subject, nearest]) await command(desk, client, 'waits');

      await end();
      if (whileAway === 'ends') await expect.poll(sessions, { timeout: 20_000 }).not.toContain(subject.clientId);
      else await expect(subject.open(version, keep)).rejects.toThrow();
      expect(await desk.heard()).toEqual([]);
      const back = await nearest.open(version, keep);
      expect(await back.heard()).toContainEqual(expect.stringMatching(/ waits$/));
    },
  );

  it('when its token expires: it is closed at that second, and one with another token is not', async () => {
    const { token } = await registry().credentials.createToken({
      principal: 'device:demo/pump/pump-8',
      expiresAt: Date.now() + 1500,
      by,
    });
    const lasting = await RawClient.open(server, 'pump-7', {}, version);
    const { client, code } = await RawClient.login(
      server,
      {
        clientId: 'd:demo:pump:pump-8',
        username: 'use-token-auth',
        password: Buffer.from(token),
        will: { ...WILL, topic: 'iot-2/evt/gone/fmt/json' },
      },
      version,
    );
    expect(code).toBe(0);
    const desk = await RawClient.open(server, 'desk');
    await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    await client.gone;
    if (version === 5)
      expect(client.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode: 0x87 }));
    const refusals = await server.api.refusals({ limit: 10 });
    expect(refusals.items).toContainEqual(expect.objectContaining({ reason: 'credential_expired' }));
    expect(await desk.heard()).toEqual([]);
    expect(await lasting.settled()).toBe(true);
  });

  it('when the level is raised, goes on if it has what the new level asks for', async () => {
    const client = await RawClient.open(server, 'pump-7', {}, version);
    await registry().types.update({ organisation, id: 'pump', security: 'tls-token', by });
    await client.settled();
    expect(client.closed).toBe(false);
  });

  it.each([
    ['application', () => registry().applications.suspend({ organisation, id: 'desk', by })],
    [
      'role of the application',
      () => registry().applications.update({ organisation, id: 'desk', role: 'visualization', by }),
    ],
    ['organisation', () => registry().organisations.suspend({ id: organisation, by })],
  ])('when the %s changes: nothing of the neighbour ends', async (_, end) => {
    const neighbour = await RawClient.open(server, 'other/desk');
    const client = await RawClient.open(server, 'desk', {}, version);
    await end();
    await client.gone;
    expect(await neighbour.settled()).toBe(true);
  });

  it('when the policy takes some of them: what is left goes on, and the will and what waits are judged when they are sent', async () => {
    await registry().policies.put({ organisation, text: LABORATORY, by });
    const desk = await RawClient.open(server, 'desk');
    await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const watcher = await RawClient.open(server, 'lab', { clientId: 'watcher' });
    await watcher.subscribe('#');
    const lab = await RawClient.open(
      server,
      'lab',
      { clientId: 'lab', ...keep, will: { ...WILL, topic: 'floor/will' } },
      version,
    );
    for (const filter of ['floor/1', 'hall/1']) await lab.subscribe(filter, { qos: 1 });
    const left = { ...everyone, principals: ['application:demo/lab'] };
    const text = policy(
      { ...left, actions: ['connect'], resources: ['*'] },
      { ...left, actions: ['publish', 'subscribe', 'receive'], resources: ['hall/#'] },
    );
    await registry().policies.put({ organisation, text, by });
    expect(await lab.settled()).toBe(true);
    expect(await desk.settled()).toBe(true);
    const filters = async () =>
      (await server.api.sessions.list(organisation)).items.find(({ clientId }) => clientId === 'lab');
    expect(await filters()).toMatchObject({ subscriptions: 1 });
    await lab.vanish();
    const writer = await RawClient.open(server, 'lab', { clientId: 'writer' });
    writer.publish('hall/1', 'still', { qos: 1 });
    expect((await writer.take('puback')).reasonCode).toBe(0);
    writer.publish('floor/1', 'not any more', { qos: 1 });
    expect((await writer.take('puback')).reasonCode).toBe(0x87);
    const back = await RawClient.open(server, 'lab', { clientId: 'lab', ...keep }, version);
    expect(await back.heard()).toEqual(['hall/1 still']);
    expect((await watcher.heard()).filter((line) => line.startsWith('floor/'))).toEqual([]);
  });
});
