import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, RawClient, VERSIONS } from './raw-client.ts';

/** Another address of this machine: the operator of the test comes from 127.0.0.1 or ::1. */
const UNWANTED = { localAddress: '127.0.0.66' };
const WANTED = { localAddress: '127.0.0.7' };
const WILL = { topic: 'iot-2/evt/gone/fmt/json', payload: Buffer.from('will'), qos: 1, retain: false } as const;

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ 'listeners.mqttPlain.allowPlaintextListener': true });
  await server.server.registry.organisations.update({ id: 'demo', security: 'tls-optional', by: 'system' });
});
afterEach(() => server.close());

const lists = () => server.api.lists;
const use = (organisation: string | undefined, active: 'black' | 'white' | 'none') =>
  lists().use(organisation, { active });
const add = (organisation: string | undefined, list: 'black' | 'white', ...entries: string[]) =>
  lists().add(organisation, list, { entries: entries.map((entry) => ({ entry })) });
const lastRefusal = async () => (await server.api.refusals({ limit: 1 })).items[0];
const enters = async (from: object, plain = false): Promise<boolean> => {
  try {
    const client = await RawClient.dial(server, 5, plain, from);
    const { reasonCode } = await client.connect(identity(server, 'pump-7'));
    await client.vanish();
    return reasonCode === 0;
  } catch {
    return false;
  }
};

describe('a black list of the server', () => {
  it.each(['127.0.0.66', '127.0.0.64/26', '127.0.0.60-127.0.0.70', '::ffff:127.0.0.66'])(
    'with %s lets no handshake begin from there, and every other address in',
    async (entry) => {
      await add(undefined, 'black', entry);
      await use(undefined, 'black');
      expect(await enters(UNWANTED)).toBe(false);
      expect(await lastRefusal()).toMatchObject({
        action: 'handshake',
        reason: 'address_on_black_list',
        address: '127.0.0.66',
        cure: expect.stringContaining('sallyport list remove black'),
      });
      expect(await enters(UNWANTED, true)).toBe(false);
      expect(await enters(WANTED)).toBe(true);
      expect(await enters(WANTED, true)).toBe(true);
    },
  );

  it('closes the port of the API for the address too', async () => {
    await add(undefined, 'black', UNWANTED.localAddress);
    await use(undefined, 'black');
    const socket = connect({ host: '127.0.0.1', port: server.httpPort, ...UNWANTED });
    socket.on('error', () => {});
    await once(socket, 'close');
    expect(await lastRefusal()).toMatchObject({ reason: 'address_on_black_list', listener: 'https' });
  });

  it('holds no more once it is turned off, or its entry has ended', async () => {
    await lists().add(undefined, 'black', { entries: [{ entry: UNWANTED.localAddress, expiresIn: '1s' }] });
    await use(undefined, 'black');
    await expect.poll(() => enters(UNWANTED), { timeout: 15_000 }).toBe(true);
    await add(undefined, 'black', UNWANTED.localAddress);
    expect(await enters(UNWANTED)).toBe(false);
    await use(undefined, 'none');
    expect(await enters(UNWANTED)).toBe(true);
  });
});

describe.each(VERSIONS)('lists of an organisation, in version %s', (version) => {
  it('refuse with a trace that names entry and cure, and nothing of a neighbour', async () => {
    await add('demo', 'black', '127.0.0.64/26');
    await use('demo', 'black');
    const login = identity(server, 'pump-7');
    const { client, code } = await RawClient.login(server, login, version, UNWANTED);
    expect(code).toBe(version === 5 ? 0x8a : 5);
    await client.gone;
    const refusal = await lastRefusal();
    expect(refusal).toMatchObject({ action: 'connect', reason: 'address_on_black_list', organisation: 'demo' });
    expect(refusal?.steps.map(({ stage, outcome }) => [stage, outcome])).toEqual([['lists', 'failed']]);
    expect(refusal?.steps[0]?.text).toContain('127.0.0.64/26');
    await (await RawClient.open(server, 'other/pump-7', {}, version, UNWANTED)).vanish();
  });

  it('hold for a client id that names no organisation, once it is known whose it is', async () => {
    const text = JSON.stringify({
      statements: [
        { id: 'a', effect: 'permit', principals: ['application:demo/lab'], actions: ['connect'], resources: ['*'] },
      ],
    });
    await server.server.registry.policies.put({ organisation: 'demo', text, by: 'system' });
    const login = { ...identity(server, 'lab'), clientId: 'whoever' };
    const before = await RawClient.login(server, login, version, UNWANTED);
    expect(before.code).toBe(0);
    await add('demo', 'black', '127.0.0.66');
    await use('demo', 'black');
    await before.client.gone;
    const after = await RawClient.login(server, login, version, UNWANTED);
    expect(after.code).toBe(version === 5 ? 0x8a : 5);
  });

  it('end live sessions at once: no will, nothing kept, and no other session is touched', async () => {
    const desk = await RawClient.open(server, 'desk', {}, version, WANTED);
    await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const neighbour = await RawClient.open(server, 'other/pump-7', {}, version, UNWANTED);
    const pump = await RawClient.open(server, 'pump-7', { cleanStart: false, will: WILL }, version, UNWANTED);
    await add('demo', 'white', '127.0.0.7', '::1', '127.0.0.1');
    expect(await pump.settled()).toBe(true);
    await use('demo', 'white');
    await pump.gone;
    if (version === 5) {
      expect(pump.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode: 0x87 }));
    }
    expect(await lastRefusal()).toMatchObject({ action: 'session', reason: 'address_not_on_white_list' });
    expect(await desk.heard()).toEqual([]);
    expect(await neighbour.settled()).toBe(true);
    const { items } = await server.api.sessions.list('demo');
    expect(items.map(({ clientId }) => clientId)).toEqual(['a:demo:desk']);
  });

  it('end a session when the entry that let it in ends', async () => {
    await add('demo', 'white', '::1', '127.0.0.1');
    await lists().add('demo', 'white', { entries: [{ entry: UNWANTED.localAddress, expiresIn: '2s' }] });
    await use('demo', 'white');
    const staying = await RawClient.open(server, 'pump-8', {}, version, { localAddress: '127.0.0.1' });
    const pump = await RawClient.open(server, 'pump-7', {}, version, UNWANTED);
    await pump.gone;
    expect(await staying.settled()).toBe(true);
  });
});

it('the decision, the check of an address and explain give the same answer', async () => {
  await add('demo', 'black', UNWANTED.localAddress);
  await use('demo', 'black');
  for (const { localAddress } of [UNWANTED, WANTED]) {
    const entered = await enters({ localAddress });
    const question = {
      as: 'device:demo/pump/pump-7',
      action: 'connect',
      resource: 'd:demo:pump:pump-7',
      address: localAddress,
    } as const;
    const explained = await server.api.explain(question);
    expect(explained.effect).toBe(entered ? 'permit' : 'deny');
    expect((await lists().check('demo', localAddress)).passes).toBe(entered);
    expect(explained.steps[0]).toMatchObject({ stage: 'lists', outcome: entered ? 'passed' : 'failed' });
  }
});
