import { X509Certificate } from 'node:crypto';
import { createIntermediateAuthority } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LABORATORY, policy, RawClient, VERSIONS } from '../attacks/raw-client.ts';
import { issuedPair, ownAuthority, type Pair, pairOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

const by = 'system';
const organisation = 'demo';
const device = { organisation, type: 'pump', id: 'pump-7', by };
/** Of this machine, as all of 127.0.0.0/8 are; whoever else the test plays comes from another one. */
const ADDRESS = '127.0.0.77';
const EVENT = 'iot-2/evt/status/fmt/json';
const FULL_EVENT = 'iot-2/type/pump/id/pump-7/evt/status/fmt/json';
const WILL = { topic: 'iot-2/evt/gone/fmt/json', payload: Buffer.from('will'), qos: 1, retain: false } as const;

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'listeners.mqttPlain.allowPlaintextListener': true });
  await server.server.registry.organisations.update({ id: organisation, security: 'tls-optional', by });
});
afterEach(() => server.close());

const registry = () => server.server.registry;
const revoke = async (principal: string) => {
  for (const { id } of await registry().credentials.list(principal)) await registry().credentials.revoke({ id, by });
};
const everyone = { principals: ['device:demo/**', 'application:demo/*'] };

const nothingBefore = async (): Promise<void> => {};

/** With a certificate in place of its token; who has none goes on with the token. */
async function byCertificate(pair: Pair): Promise<Pair> {
  await registry().types.update({ organisation, id: 'pump', security: 'tls-certificate-or-token', by });
  return pair;
}

/** By which the cause ends what `before` has begun. */
let ending = '';

/** What ends the session of pump-7 on the plain listener, and what has to be there before. */
const CAUSES: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
  [
    'its certificate is revoked',
    () => server.api.certificates.revoke(organisation, ending),
    async () => {
      const { id, ...pair } = await issuedPair(server, 'device:demo/pump/pump-7');
      ending = id;
      return byCertificate(pair);
    },
  ],
  [
    'its pinned certificate is revoked',
    () => server.api.certificates.revoke(organisation, ending),
    async () => {
      const pair = await pairOf(await ownAuthority(), 'whoever');
      const principal = 'device:demo/pump/pump-7';
      ({ id: ending } = await server.api.certificates.pin(organisation, { principal, certificate: pair.cert }));
      return byCertificate(pair);
    },
  ],
  [
    'the authority of its certificate is removed',
    () => server.api.authorities.remove(organisation, ending),
    async () => {
      const plant = await ownAuthority();
      ({ id: ending } = await server.api.authorities.add(organisation, plant.pem));
      return byCertificate(await pairOf(plant, 'd:pump:pump-7'));
    },
  ],
  [
    'an authority between its certificate and the trusted one is revoked',
    () => server.api.certificates.revokeForeign(organisation, { certificate: ending }),
    async () => {
      const plant = await ownAuthority();
      await server.api.authorities.add(organisation, plant.pem);
      const below = { commonName: 'Line 1', now: Date.now(), validity: 86_400_000 };
      const line = await createIntermediateAuthority({ authority: plant, ...below });
      ending = line.pem;
      return byCertificate(await pairOf(line, 'd:pump:pump-7'));
    },
  ],
  [
    'its certificate is revoked by serial, as one of a trusted authority',
    async () => {
      const [authority = '', serial = ''] = ending.split(' ');
      await server.api.certificates.revokeForeign(organisation, { authority, serial });
    },
    async () => {
      const plant = await ownAuthority();
      const { id } = await server.api.authorities.add(organisation, plant.pem);
      const pair = await pairOf(plant, 'd:pump:pump-7');
      ending = `${id} ${new X509Certificate(pair.cert).serialNumber.toLowerCase()}`;
      return byCertificate(pair);
    },
  ],
  [
    'the policy takes its client id',
    () => {
      const denied = { effect: 'deny', principals: ['device:demo/pump/pump-7'], actions: ['connect'] };
      return registry().policies.put({ organisation, text: policy({ ...denied, resources: ['*'] }), by });
    },
    nothingBefore,
  ],
  ['its token is revoked', () => revoke('device:demo/pump/pump-7'), nothingBefore],
  ['it is suspended', () => registry().devices.suspend(device), nothingBefore],
  ['it is removed', () => registry().devices.remove(device), nothingBefore],
  [
    'the connection security of its type is raised',
    () => registry().types.update({ organisation, id: 'pump', security: 'tls-token', by }),
    nothingBefore,
  ],
  [
    'its address is put on the black list of the organisation',
    () => server.api.lists.add(organisation, 'black', { entries: [{ entry: ADDRESS }] }),
    () => server.api.lists.use(organisation, { active: 'black' }),
  ],
  [
    'a white list without its address is turned on for the whole server',
    () => server.api.lists.use(undefined, { active: 'white' }),
    () => server.api.lists.add(undefined, 'white', { entries: [{ entry: '127.0.0.1' }, { entry: '::1' }] }),
  ],
  [
    'an incident has it suspended',
    async () => {
      const [incident] = (await server.api.incidents.list()).items;
      await server.api.incidents.contain(incident?.id ?? '', 'suspend');
    },
    provokeIncident,
  ],
];

/** The device names another again and again. */
async function provokeIncident(): Promise<void> {
  const pump = await RawClient.open(server, 'pump-7');
  for (let count = 0; count < 6; count++) await pump.subscribe(`iot-2/type/pump/id/pump-8/evt/e${count}/fmt/json`);
  await pump.vanish();
  await expect.poll(async () => (await server.api.incidents.list()).items.length).toBe(1);
}

function isPair(made: unknown): made is Pair {
  return typeof made === 'object' && made !== null && 'cert' in made;
}

/** pump-7 from its address: by its certificate over TLS, if it has one, else by its token on the plain listener. */
function openDevice(version: (typeof VERSIONS)[number], pair: unknown, more: object): Promise<RawClient> {
  if (!isPair(pair)) return plainDevice(version, more);
  const from = { localAddress: ADDRESS, pair };
  return RawClient.login(server, { clientId: 'd:demo:pump:pump-7', keepAlive: 0, ...more }, version, from).then(
    ({ client, code }) => {
      expect(code).toBe(0);
      return client;
    },
  );
}

async function plainDevice(version: (typeof VERSIONS)[number], more: object = {}): Promise<RawClient> {
  const client = await RawClient.dial(server, version, true, { localAddress: ADDRESS });
  const password = Buffer.from(server.tokens['pump-7'] ?? '');
  const login = { clientId: 'd:demo:pump:pump-7', username: 'use-token-auth', password, keepAlive: 0, ...more };
  expect((await client.connect(login)).reasonCode).toBe(0);
  return client;
}

describe.each(VERSIONS)('rights that end under a live session of version %s', (version) => {
  const keep =
    version === 5 ? { cleanStart: false, properties: { sessionExpiryInterval: 300 } } : { cleanStart: false };

  it.each(CAUSES)(
    'when %s: it is closed, its will is not sent, its messages are gone, nobody else is touched',
    async (_, end, before) => {
      const pair = await before();
      const desk = await RawClient.open(server, 'desk');
      await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
      const bystanders = await Promise.all(
        ['pump-8', 'hub-1', 'tap', 'other/pump-7'].map((who) => RawClient.open(server, who)),
      );
      const client = await openDevice(version, pair, { ...keep, will: WILL });
      await client.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 });
      client.publish(EVENT, 'before', { qos: 1 });
      await client.take('puback');
      expect(await desk.heard()).toEqual([`${FULL_EVENT} before`]);

      await end();
      client.publish(EVENT, 'after', { qos: 1 });
      await client.gone;
      if (version === 5) {
        const reasonCode = expect.toSatisfy((code: number) => code === 0x87 || code === 0x98);
        const properties = { reasonString: expect.stringMatching(/^ticket /) };
        expect(client.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode, properties }));
      }
      expect(await desk.heard()).toEqual([]);
      for (const bystander of bystanders) expect(await bystander.settled()).toBe(true);
      const { items } = await server.api.sessions.list(organisation);
      expect(items.map(({ clientId }) => clientId)).not.toContain('d:demo:pump:pump-7');
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
      { clientId: 'd:demo:pump:pump-8', username: 'use-token-auth', password: Buffer.from(token), will: WILL },
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
