import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { LABORATORY, policy, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
});
afterEach(() => server.close());

const by = 'system';
const organisation = 'demo';
const device = { organisation, type: 'pump', id: 'pump-7', by };
const application = { organisation, id: 'desk', by };
const registry = () => server.server.registry;
const revoke = async (principal: string) => {
  for (const { id } of await registry().credentials.list(principal)) await registry().credentials.revoke({ id, by });
};

/** What ends the session, by whose session it is. */
const ENDS: readonly (readonly [string, string, () => Promise<unknown>])[] = [
  ['pump-7', 'its token is revoked', () => revoke('device:demo/pump/pump-7')],
  ['pump-7', 'it is suspended', () => registry().devices.suspend(device)],
  ['pump-7', 'it is removed', () => registry().devices.remove(device)],
  ['pump-7', 'its organisation is suspended', () => registry().organisations.suspend({ id: organisation, by })],
  [
    'hub-1',
    'its role is changed',
    () => registry().devices.update({ organisation, type: 'hub', id: 'hub-1', gatewayRole: 'standard', by }),
  ],
  ['desk', 'its token is revoked', () => revoke('application:demo/desk')],
  ['desk', 'it is suspended', () => registry().applications.suspend(application)],
  ['desk', 'it is removed', () => registry().applications.remove(application)],
  ['desk', 'its role is changed', () => registry().applications.update({ ...application, role: 'visualization' })],
  ['desk', 'its organisation is suspended', () => registry().organisations.suspend({ id: organisation, by })],
];

describe.each(VERSIONS)('a live session of version %s', (version) => {
  const keep =
    version === 5 ? { cleanStart: false, properties: { sessionExpiryInterval: 300 } } : { cleanStart: false };

  it.each(ENDS)('of %s ends when %s: its will is not sent, and what waits is not kept', async (who, _, end) => {
    const scope = who === 'pump-7' ? '' : 'type/pump/id/pump-8/';
    const topic = `iot-2/${scope}evt/gone/fmt/json`;
    const witness = await RawClient.open(server, 'tap');
    await witness.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const will = { topic, payload: Buffer.from('will'), qos: 1, retain: false } as const;
    const client = await RawClient.open(server, who, { ...keep, will }, version);
    await end();
    await client.gone;
    const reasonCode = expect.toSatisfy((code: number) => code === 0x87 || code === 0x98);
    if (version === 5)
      expect(client.packets).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode }));
    if (!witness.closed) expect(await witness.heard()).toEqual([]);
    await eventually(async () => (await server.api.sessions.list('demo')).items.every(({ connected }) => connected));
  });

  it.each([
    ['the device is suspended', () => registry().devices.suspend(device), () => registry().devices.resume(device)],
    [
      'the organisation is suspended',
      () => registry().organisations.suspend({ id: organisation, by }),
      () => registry().organisations.resume({ id: organisation, by }),
    ],
  ])('that is absent is forgotten with its messages when %s', async (_, end, undo) => {
    const client = await RawClient.open(server, 'pump-7', keep, version);
    await client.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 });
    await client.vanish();
    const desk = await RawClient.open(server, 'desk');
    desk.publish('iot-2/type/pump/id/pump-7/cmd/blink/fmt/json', 'queued', { qos: 1 });
    await desk.take('puback');
    await end();
    await eventually(async () =>
      (await server.api.sessions.list('demo')).items.every(({ clientId }) => clientId !== 'd:demo:pump:pump-7'),
    );
    await undo();
    const back = await RawClient.open(server, 'pump-7', keep, version);
    expect(await back.heard()).toEqual([]);
  });

  it('loses a subscription, what waits for it and the right to publish when the policy is changed', async () => {
    await registry().policies.put({ organisation, text: LABORATORY, by });
    const lab = await RawClient.open(server, 'lab', { clientId: 'a:demo:lab', ...keep }, version);
    expect(await lab.subscribe('floor/#', { qos: 1 })).toBe(1);
    const writer = await RawClient.open(server, 'lab', { clientId: 'writer' });
    await lab.vanish();
    writer.publish('floor/1', 'queued', { qos: 1 });
    await writer.take('puback');
    const absent = await RawClient.open(server, 'tap');
    await registry().policies.put({
      organisation,
      text: policy({ principals: ['application:demo/lab'], actions: ['connect'], resources: ['*'] }),
      by,
    });
    const back = await RawClient.open(server, 'lab', { clientId: 'a:demo:lab', ...keep }, version);
    expect(await back.heard()).toEqual([]);
    writer.publish('floor/1', 'late', { qos: 1 });
    expect(await writer.take('puback')).toMatchObject({ reasonCode: 0x87 });
    expect(await back.heard()).toEqual([]);
    await absent.vanish();
  });

  it('ends when the policy no longer permits its client id', async () => {
    await registry().policies.put({ organisation, text: LABORATORY, by });
    const lab = await RawClient.open(server, 'lab', { clientId: 'chosen' }, version);
    await registry().policies.put({ organisation, text: policy(), by });
    await lab.gone;
    expect(lab.closed).toBe(true);
  });

  it('hears nothing more through a live subscription that a deny covers in part', async () => {
    await registry().policies.put({ organisation, text: LABORATORY, by });
    const lab = await RawClient.open(server, 'lab', { clientId: 'a:demo:lab' }, version);
    await lab.subscribe('floor/#');
    const writer = await RawClient.open(server, 'desk');
    const writing = {
      id: 'write',
      effect: 'permit',
      principals: ['application:demo/desk'],
      actions: ['publish'],
      resources: ['floor/#'],
    };
    const deny = {
      id: 'deny',
      effect: 'deny',
      principals: ['application:demo/lab'],
      actions: ['receive'],
      resources: ['floor/2'],
    };
    const text = JSON.stringify({ statements: [...JSON.parse(LABORATORY).statements, writing, deny] });
    await registry().policies.put({ organisation, text, by });
    for (const topic of ['floor/1', 'floor/2']) writer.publish(topic, 'x', { qos: 1 });
    await writer.settled();
    expect(await lab.heard()).toEqual(['floor/1 x']);
  });
});

it('another session of the same organisation goes on', async () => {
  const stays = await RawClient.open(server, 'pump-8');
  const goes = await RawClient.open(server, 'pump-7');
  await registry().devices.suspend(device);
  await goes.gone;
  expect(await stays.settled()).toBe(true);
});

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
