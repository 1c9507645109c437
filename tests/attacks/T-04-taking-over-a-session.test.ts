import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
});
afterAll(() => server.close());

const EVENTS = 'iot-2/type/+/id/+/evt/+/fmt/+';

describe.each(VERSIONS)('with version %s', (version) => {
  const keep = version === 5 ? { cleanStart: false, properties: { sessionExpiryInterval: 60 } } : { cleanStart: false };

  it.each([
    ['lab', 'desk', 'its client id'],
    ['tap', 'desk', 'its client id'],
    ['pump-8', 'pump-7', 'its client id'],
    ['hub-1', 'pump-7', 'its client id'],
    ['desk', 'pump-7', 'its client id'],
    ['lab', 'pump-7', 'its client id'],
    ['lab', 'hub-1', 'its client id'],
    ['pump-7', 'desk', 'its client id'],
    ['other/desk', 'desk', 'its client id'],
    ['other/pump-7', 'pump-7', 'its client id'],
    ['desk', 'other/desk', 'its client id'],
    ['lab', 'other/desk', 'its client id'],
    ['lab', 'other/pump-7', 'its client id'],
  ])('%s does not take over the session of %s', async (thief, victim) => {
    const owner = await RawClient.open(server, victim, keep, version);
    const { clientId } = identity(server, victim);
    const { client, code } = await RawClient.login(server, { ...identity(server, thief), clientId, ...keep }, version);
    expect(code).not.toBe(0);
    await client.gone;
    expect(await owner.settled()).toBe(true);
    await owner.vanish();
    // Nor while the owner is away, with what waits for it.
    const later = await RawClient.login(server, { ...identity(server, thief), clientId, ...keep }, version);
    expect(later.code).not.toBe(0);
    const back = await RawClient.dial(server, version);
    expect(await back.connect({ ...identity(server, victim), ...keep })).toMatchObject({
      reasonCode: 0,
      sessionPresent: true,
    });
    await back.vanish();
  });

  it('a client id that nobody owns belongs to whoever has the session', async () => {
    const mine = await RawClient.open(server, 'lab', { clientId: 'shared-name', ...keep }, version);
    await server.server.registry.policies.put({
      organisation: 'demo',
      text: LABORATORY.replaceAll('application:demo/lab', 'application:demo/*'),
      by: 'system',
    });
    const { code } = await RawClient.login(
      server,
      { ...identity(server, 'tap'), clientId: 'shared-name', ...keep },
      version,
    );
    expect(code).not.toBe(0);
    expect(await mine.settled()).toBe(true);
    await mine.vanish();
  });

  it('the same name in another organisation is another session', async () => {
    const ours = await RawClient.open(server, 'pump-7', {}, version);
    const theirs = await RawClient.open(server, 'other/pump-7', {}, version);
    expect([await ours.settled(), await theirs.settled()]).toEqual([true, true]);
    await Promise.all([ours.vanish(), theirs.vanish()]);
  });

  it.each([
    'A:demo:desk',
    'A:demo:desk:1',
    'a:demo:desk',
    'a:demo:desk:1',
    'A:demo:desk:',
    'A:demo:desk:+',
    'A:demo:desk:~x',
  ])('lab does not become an instance of desk as %s', async (clientId) => {
    const { code, client } = await RawClient.login(server, { ...identity(server, 'lab'), clientId }, version);
    expect(code).not.toBe(0);
    await client.gone;
  });

  it('messages that wait for an absent application go to nobody else', async () => {
    const fresh = await RawClient.open(server, 'desk', {}, version);
    await fresh.vanish();
    const owner = await RawClient.open(server, 'desk', keep, version);
    await owner.subscribe(EVENTS, { qos: 1 });
    await owner.vanish();
    const device = await RawClient.open(server, 'pump-7', {}, version);
    device.publish('iot-2/evt/status/fmt/json', 'kept', { qos: 1 });
    await device.take('puback');
    const { clientId } = identity(server, 'desk');
    for (const thief of ['lab', 'tap', 'other/desk']) {
      const { client } = await RawClient.login(server, { ...identity(server, thief), clientId, ...keep }, version);
      await client.gone;
      expect(client.packets).toEqual([]);
    }
    const back = await RawClient.open(server, 'desk', keep, version);
    expect(await back.heard()).toEqual(['iot-2/type/pump/id/pump-7/evt/status/fmt/json kept']);
    await Promise.all([back.vanish(), device.vanish()]);
  });
});
