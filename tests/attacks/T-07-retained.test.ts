import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';
const retain = { retain: true } as const;

let server: TestServer;
const put = (organisation: string, ...more: readonly object[]) => {
  const laboratory = organisation === 'demo' ? LABORATORY : LABORATORY.replaceAll('demo/lab', 'other/desk');
  const all = [...JSON.parse(laboratory).statements, ...more];
  return server.server.registry.policies.put({ organisation, text: JSON.stringify({ statements: all }), by: 'system' });
};
beforeAll(async () => {
  server = await testServer();
  await put('demo');
  await put('other');
});
afterAll(() => server.close());

/** What clients have left; the status messages that the server itself retains are not meant. */
const left = async (client: RawClient) => (await client.heard()).filter((line) => !/^iot-2\/\S+\/mon /.test(line));

describe.each(VERSIONS)('with version %s', (version) => {
  it.each([
    ['pump-8', 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json'],
    ['pump-8', 'iot-2/cmd/blink/fmt/json'],
    ['pump-8', 'iot-2/evt/status/fmt/json'],
    ['pump-8', 'planted'],
    ['tap', COMMAND],
    ['desk', 'iot-2/type/pump/id/pump-8/evt/status/fmt/json'],
    ['hub-1', 'iot-2/type/pump/id/pump-7/evt/status/fmt/json'],
    ['hub-1', 'planted'],
  ])('%s leaves nothing behind on %s', async (who, topic) => {
    const planter = await RawClient.open(server, who, {}, version);
    planter.publish(topic, 'planted', retain);
    await planter.settled();
    await planter.vanish();
    const lab = await RawClient.open(server, 'lab', { clientId: 'reader' }, version);
    expect(await lab.subscribe('#')).toBe(0);
    expect(await left(lab)).toEqual([]);
    await lab.vanish();
  });

  it('a device leaves nothing behind by its will either', async () => {
    const topic = 'iot-2/evt/gone/fmt/json';
    const device = await RawClient.open(
      server,
      'pump-8',
      { will: { topic, payload: Buffer.from('planted'), qos: 0, retain: true } },
      version,
    );
    const listener = await RawClient.open(server, 'lab', { clientId: 'listener' });
    await listener.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    await device.vanish();
    await listener.take('publish');
    const late = await RawClient.open(server, 'lab', { clientId: 'late' });
    await late.subscribe('#');
    expect(await left(late)).toEqual([]);
    await Promise.all([listener.vanish(), late.vanish()]);
  });

  it('what is retained in one organisation is not found in another, whatever its filters', async () => {
    const lab = await RawClient.open(server, 'lab', { clientId: 'writer' }, version);
    lab.publish('floor/1', 'ours', retain);
    lab.publish(COMMAND, 'ours', retain);
    await lab.settled();
    const neighbour = await RawClient.open(server, 'other/desk', { clientId: 'neighbour' }, version);
    for (const filter of ['#', '+/#', 'floor/1', 'demo/#', COMMAND]) {
      expect(await neighbour.subscribe(filter)).toBe(0);
      expect(await left(neighbour)).toEqual([]);
    }
    // Nor can the neighbour clear it.
    neighbour.publish('floor/1', '', retain);
    await neighbour.settled();
    await lab.subscribe('floor/1');
    expect(await left(lab)).toEqual(['floor/1 ours']);
    for (const topic of ['floor/1', COMMAND]) lab.publish(topic, '', retain);
    await lab.settled();
    await Promise.all([lab.vanish(), neighbour.vanish()]);
  });

  it('what is retained reaches nobody who may subscribe to it but not receive it', async () => {
    await put('demo', {
      id: 'deny',
      effect: 'deny',
      principals: ['application:demo/lab'],
      actions: ['receive'],
      resources: ['floor/2'],
    });
    const lab = await RawClient.open(server, 'lab', { clientId: 'writer' }, version);
    for (const topic of ['floor/1', 'floor/2']) lab.publish(topic, 'kept', retain);
    await lab.settled();
    for (const filter of ['floor/+', 'floor/#', '#', '+/2']) {
      expect(await lab.subscribe(filter)).toBe(0);
      expect((await left(lab)).filter((line) => line.startsWith('floor/2'))).toEqual([]);
    }
    for (const topic of ['floor/1', 'floor/2']) lab.publish(topic, '', retain);
    await lab.settled();
    await lab.vanish();
    await put('demo');
  });

  it('a retained message is not stored where it may not be published', async () => {
    await put('demo', {
      id: 'read',
      effect: 'permit',
      principals: ['application:demo/tap'],
      actions: ['subscribe', 'receive'],
      resources: ['floor/#'],
    });
    const tap = await RawClient.open(server, 'tap', {}, version);
    tap.publish('floor/9', 'planted', retain);
    await tap.settled();
    const lab = await RawClient.open(server, 'lab', { clientId: 'reader' }, version);
    await lab.subscribe('#');
    expect(await left(lab)).toEqual([]);
    await Promise.all([lab.vanish(), tap.vanish()]);
    await put('demo');
  });
});
