import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { CodeDesk, demandCodes, UnlockingDevice } from '../unlock-devices.ts';
import { RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
let desk: CodeDesk;
beforeEach(async () => {
  server = await testServer();
  await demandCodes(server);
  desk = await CodeDesk.open(server);
});
afterEach(() => server.close());

const COMMANDS = 'iot-2/cmd/+/fmt/+';
const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';

async function unlock(device: UnlockingDevice): Promise<void> {
  expect(await device.ask()).toMatchObject({ status: 'sent' });
  expect(await device.give((await desk.next()).code)).toEqual({ status: 'unlocked' });
}

describe('a session that waits for its code', () => {
  it.each([
    'iot-2/evt/temperature/fmt/json',
    'iot-2/evt/unlock-request/fmt/text',
    'iot-2/evt/eid/fmt/json',
    'iotdevice-1/mgmt/manage',
  ])('publishes nothing to %s, and is told why under a ticket', async (topic) => {
    const listener = await RawClient.open(server, 'tap');
    await listener.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const device = await UnlockingDevice.open(server);
    device.client.publish(topic, '{}', { qos: 1 });
    expect(await device.client.take('puback')).toMatchObject({ reasonCode: 0x87 });
    expect(await listener.heard()).toEqual([]);
    const { items } = await server.api.refusals({ limit: 1 });
    expect(items[0]).toMatchObject({ reason: 'unlock_required', principal: 'device:demo/pump/pump-7' });
    expect(items[0]?.steps.at(-1)?.compared).toEqual({ what: 'assurance', found: 'pending', expected: 'full' });
  });

  it.each([COMMANDS, '#', 'iot-2/#', 'iot-2/cmd/+/fmt/json', 'iotdm-1/#', 'iot-2/mon', '$share/g/iot-2/cmd/+/fmt/+'])(
    'does not get the subscription %s',
    async (filter) => {
      const device = await UnlockingDevice.open(server);
      expect(await device.client.subscribe(filter)).toBeGreaterThanOrEqual(0x80);
    },
  );

  it('gets nothing of a kept session before it is unlocked, and loses nothing of it', async () => {
    const keep = { cleanStart: false, properties: { sessionExpiryInterval: 300 } };
    const device = await UnlockingDevice.open(server, 'pump-7', keep);
    await unlock(device);
    expect(await device.client.subscribe(COMMANDS, { qos: 1 })).toBe(1);
    await device.client.vanish();
    const sender = await RawClient.open(server, 'desk');
    sender.publish(COMMAND, 'absent', { qos: 1 });
    await sender.take('puback');
    const back = await UnlockingDevice.open(server, 'pump-7', keep);
    sender.publish(COMMAND, 'pending', { qos: 1 });
    await sender.take('puback');
    sender.publish(COMMAND, 'at most once');
    await sender.settled();
    expect(await back.client.heard()).toEqual([]);
    await unlock(back);
    const heard = [];
    while (heard.length < 2) {
      const message = await back.client.take('publish');
      heard.push(Buffer.from(message.payload).toString());
      back.client.send({ type: 'puback', packetId: message.packetId ?? 0, reasonCode: 0 });
    }
    expect(heard).toEqual(['absent', 'pending']);
  });

  it('gets what waits of a kept session before a restart no sooner after it', async () => {
    const keep = { cleanStart: false, properties: { sessionExpiryInterval: 300 } };
    const device = await UnlockingDevice.open(server, 'pump-7', keep);
    await unlock(device);
    await device.client.subscribe(COMMANDS, { qos: 1 });
    await device.client.vanish();
    const pending = await UnlockingDevice.open(server, 'pump-7', keep);
    await pending.client.vanish();
    const sender = await RawClient.open(server, 'desk');
    sender.publish(COMMAND, 'kept', { qos: 1 });
    await sender.take('puback');
    const back = await UnlockingDevice.open(server, 'pump-7', keep);
    expect(await back.client.heard()).toEqual([]);
    await unlock(back);
    expect(Buffer.from((await back.client.take('publish')).payload).toString()).toBe('kept');
  });

  it('leaves no will', async () => {
    const listener = await RawClient.open(server, 'tap');
    await listener.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const will = { topic: 'iot-2/evt/gone/fmt/json', payload: Buffer.from('will'), qos: 0, retain: false } as const;
    const device = await UnlockingDevice.open(server, 'pump-7', { will });
    await device.client.vanish();
    await RawClient.open(server, 'pump-8');
    expect(await listener.heard()).toEqual([]);
  });

  it.each(VERSIONS)('may do everything as soon as it has given its code, in version %s', async (version) => {
    const listener = await RawClient.open(server, 'tap');
    await listener.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const device = await UnlockingDevice.open(server, 'pump-7', {}, version === 5 ? 5 : 4);
    await unlock(device);
    expect(await device.client.subscribe(COMMANDS, { qos: 1 })).toBe(1);
    device.client.publish('iot-2/evt/temperature/fmt/json', '21', { qos: 1 });
    await device.client.take('puback');
    expect(await listener.heard()).toEqual(['iot-2/type/pump/id/pump-7/evt/temperature/fmt/json 21']);
  });
});

describe('the demand', () => {
  it('ends the sessions that came before it', async () => {
    await demandCodes(server, { mode: 'off' });
    const device = await RawClient.open(server, 'pump-7');
    expect(await device.settled()).toBe(true);
    await demandCodes(server);
    expect(await device.take('disconnect')).toMatchObject({ reasonCode: 0x87 });
  });

  it('can be lifted for one device: its session need not wait', async () => {
    const device = await UnlockingDevice.open(server);
    const other = await UnlockingDevice.open(server, 'pump-8');
    await server.api.devices.update({ organisation: 'demo', type: 'pump', id: 'pump-7' }, { unlock: 'off' });
    while ((await server.api.unlocks.list('demo')).items.length > 1);
    device.client.publish('iot-2/evt/temperature/fmt/json', '21', { qos: 1 });
    expect((await device.client.take('puback')).reasonCode).toBeLessThan(0x80);
    other.client.publish('iot-2/evt/temperature/fmt/json', '21', { qos: 1 });
    expect(await other.client.take('puback')).toMatchObject({ reasonCode: 0x87 });
  });
});
