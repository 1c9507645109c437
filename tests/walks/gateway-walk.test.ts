import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';

const NOTICES = 'iot-2/type/hub/id/hub-1/notify';

let server: TestServer;
let gateway: RawClient;
let listener: RawClient;
beforeAll(async () => {
  server = await testServer({ 'limits.maximumRegistrations': 4 });
  gateway = await RawClient.open(server, 'hub-1');
  listener = await RawClient.open(server, 'desk');
  expect(await listener.subscribe('iot-2/type/+/id/+/evt/+/fmt/+')).toBe(0);
  expect(await gateway.subscribe(NOTICES)).toBe(0);
});
afterAll(() => server.close());

const event = (type: string, id: string) => `iot-2/type/${type}/id/${id}/evt/status/fmt/json`;
const registered = (id: string) =>
  server.server.registry.devices.get({ organisation: 'demo', type: 'pump', id }).then(
    () => true,
    () => false,
  );

/** Publishes at QoS 1, and answers the notices that came instead of the message. */
async function speak(type: string, id: string): Promise<Record<string, unknown>[]> {
  gateway.publish(event(type, id), '{}', { qos: 1 });
  expect(await gateway.take('puback')).toMatchObject({ reasonCode: 0 });
  return (await gateway.heard()).map((line) => JSON.parse(line.slice(NOTICES.length)) as Record<string, unknown>);
}

describe('a gateway with the privileged role', () => {
  it('registers a device by speaking for it, and its first message arrives', async () => {
    expect(await registered('met-1')).toBe(false);
    expect(await speak('pump', 'met-1')).toEqual([]);
    expect(await registered('met-1')).toBe(true);
    expect(await listener.heard()).toEqual([`${event('pump', 'met-1')} {}`]);
  });

  it('keeps the order of its messages while a device is being registered', async () => {
    for (const payload of ['1', '2', '3']) gateway.publish(event('pump', 'met-2'), payload);
    gateway.publish(event('hub', 'hub-1'), '4');
    await gateway.settled();
    expect((await listener.heard()).map((line) => line.split(' ')[1])).toEqual(['1', '2', '3', '4']);
  });

  it('registers a device by listening for its commands', async () => {
    expect(await gateway.subscribe('iot-2/type/pump/id/met-3/cmd/+/fmt/+')).toBe(0);
    expect(await registered('met-3')).toBe(true);
  });

  it('is told of a type that does not exist, and registers no gateways', async () => {
    expect(await speak('nothing', 'met-9')).toMatchObject([{ RC: 180, Type: 'nothing', Id: 'met-9' }]);
    expect(await speak('hub', 'hub-99')).toMatchObject([{ RC: 180, Type: 'hub', Id: 'hub-99' }]);
    expect(await listener.heard()).toEqual([]);
  });

  it('is told that it has registered as many as it may', async () => {
    expect(await speak('pump', 'met-4')).toEqual([]);
    expect(await speak('pump', 'met-5')).toMatchObject([{ Request: 'Publish', Type: 'pump', Id: 'met-5' }]);
    expect(await registered('met-5')).toBe(false);
    expect(await listener.heard()).toHaveLength(1);
  });

  it('does not speak for a device that is suspended', async () => {
    const device = { organisation: 'demo', type: 'pump', id: 'pump-8', by: 'system' };
    await server.server.registry.devices.suspend(device);
    expect(await speak('pump', 'pump-8')).toMatchObject([{ RC: 180, Id: 'pump-8' }]);
    await server.server.registry.devices.resume(device);
    expect(await speak('pump', 'pump-8')).toEqual([]);
    expect(await listener.heard()).toHaveLength(1);
  });
});

describe('a gateway with the standard role', () => {
  it('speaks for registered devices and registers none', async () => {
    const { registry } = server.server;
    await registry.devices.update({
      organisation: 'demo',
      type: 'hub',
      id: 'hub-1',
      gatewayRole: 'standard',
      by: 'system',
    });
    await gateway.gone;
    gateway = await RawClient.open(server, 'hub-1');
    await gateway.subscribe(NOTICES);
    await listener.heard();
    expect(await speak('pump', 'pump-7')).toEqual([]);
    expect(await speak('pump', 'met-6')).toMatchObject([{ RC: 180, Id: 'met-6' }]);
    expect(await registered('met-6')).toBe(false);
    expect(await listener.heard()).toHaveLength(1);
  });
});
