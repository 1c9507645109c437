import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { field, identity, LABORATORY, packetBytes, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
let witness: RawClient;
const { statements } = JSON.parse(LABORATORY);
const put = (...more: readonly object[]) =>
  server.server.registry.policies.put({
    organisation: 'demo',
    text: JSON.stringify({ statements: [...statements, ...more] }),
    by: 'system',
  });
beforeAll(async () => {
  server = await testServer();
  await put();
  witness = await RawClient.open(server, 'lab', { clientId: 'witness' });
  expect(await witness.subscribe('#')).toBe(0);
});
afterAll(() => server.close());

const will = (topic: string, more = {}) => ({
  will: { topic, payload: Buffer.from('forged'), qos: 1, retain: false, ...more } as const,
});
const OWN = 'iot-2/evt/gone/fmt/json';
const heard = async () => (await witness.heard()).filter((line) => line.endsWith(' forged'));

describe.each(VERSIONS)('with version %s', (version) => {
  it.each([
    'iot-2/type/pump/id/pump-8/evt/gone/fmt/json',
    'iot-2/type/pump/id/pump-7/evt/gone/fmt/json',
    'iot-2/cmd/blink/fmt/json',
    'iot-2/evt//fmt/json',
    'iot-2%2fevt/gone/fmt/json',
    'IOT-2/evt/gone/fmt/json',
    'iot-2/mon',
    '$SYS/x',
    '$share/g/x',
    'lab',
    '/'.repeat(200),
    `iot-2/evt/${'x'.repeat(65_500)}/fmt/json`,
  ])('a device does not get in with a will on %.60s', async (topic) => {
    const login = { ...identity(server, 'pump-7'), ...will(topic) };
    const { client, code } = await RawClient.login(server, login, version);
    expect(code).not.toBe(0);
    await client.gone;
    expect(await heard()).toEqual([]);
  });

  it.each(['#', 'iot-2/+/gone', '', 'a\u0000'])('a will on %j is no packet at all', async (topic) => {
    const client = await RawClient.dial(server, version);
    const { clientId, username = '', password = Buffer.of() } = identity(server, 'pump-7');
    const properties = version === 5 ? [Buffer.of(0)] : [];
    client.raw(
      packetBytes(
        0x10,
        field('MQTT'),
        Buffer.of(version, 0xc6, 0, 60),
        ...properties,
        field(clientId),
        ...properties,
        field(topic),
        field('forged'),
        field(username),
        field(password),
      ),
    );
    await client.gone;
    expect(client.packets).not.toContainEqual(expect.objectContaining({ type: 'connack', reasonCode: 0 }));
    expect(await heard()).toEqual([]);
  });

  it('a will that was permitted is not sent when the right to it has gone', async () => {
    const device = await RawClient.open(server, 'pump-7', will(OWN), version);
    await put({ id: 'deny', effect: 'deny', principals: ['device:*'], actions: ['publish'], resources: ['#'] });
    await device.vanish();
    await closed('d:demo:pump:pump-7');
    expect(await heard()).toEqual([]);
    await put();
  });

  it('a permitted will is sent, under the full name', async () => {
    const device = await RawClient.open(server, 'pump-7', will(OWN), version);
    await device.vanish();
    await closed('d:demo:pump:pump-7');
    expect(await heard()).toEqual(['iot-2/type/pump/id/pump-7/evt/gone/fmt/json forged']);
  });

  it('a will deeper than topics may be is refused, however broad the policy is', async () => {
    const login = { ...identity(server, 'lab'), clientId: 'deep', ...will('a/'.repeat(30_000), { retain: true }) };
    const { client, code } = await RawClient.login(server, login, version);
    expect(code).not.toBe(0);
    await client.gone;
    expect(await witness.subscribe('#')).toBe(0);
  });

  it('the will of a suspended device is not sent', async () => {
    const name = { organisation: 'demo', type: 'pump', id: 'pump-8', by: 'system' };
    const device = await RawClient.open(server, 'pump-8', will(OWN), version);
    await server.server.registry.devices.suspend(name);
    await device.gone;
    expect(await heard()).toEqual([]);
    await server.server.registry.devices.resume(name);
  });
});

it('a will that is delayed is judged when it is sent', async () => {
  const later = will(OWN, { properties: { willDelayInterval: 1 } });
  const device = await RawClient.open(server, 'pump-7', { ...later, properties: { sessionExpiryInterval: 60 } });
  await device.vanish();
  await closed('d:demo:pump:pump-7');
  await put({ id: 'deny', effect: 'deny', principals: ['device:*'], actions: ['publish'], resources: ['#'] });
  const refused = new Promise((resolve) => server.server.events.on('message.denied', resolve));
  expect(await refused).toMatchObject({ refusal: { action: 'will' } });
  expect(await heard()).toEqual([]);
  await put();
});

/** Returns when the server has noticed that a client is gone. */
async function closed(clientId: string): Promise<void> {
  for (;;) {
    const { items } = await server.api.sessions.list('demo');
    const session = items.find((one) => one.clientId === clientId);
    if (session === undefined || session.connected === false) return;
  }
}
