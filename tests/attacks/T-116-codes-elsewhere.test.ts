import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { CodeDesk, demandCodes, GIVE, UnlockingDevice } from '../unlock-devices.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
let desk: CodeDesk;
beforeEach(async () => {
  server = await testServer();
  await demandCodes(server);
  desk = await CodeDesk.open(server);
});
afterEach(() => server.close());

describe('a code that was got', () => {
  it('is good once: the next session of the device needs its own', async () => {
    const device = await UnlockingDevice.open(server);
    await device.ask();
    const { code } = await desk.next();
    expect(await device.give(code)).toEqual({ status: 'unlocked' });
    await device.client.vanish();
    const again = await UnlockingDevice.open(server);
    expect(await again.give(code)).toEqual({ status: 'no-code', attemptsLeft: 3 });
    await again.ask();
    await desk.next();
    expect(await again.give(code)).toEqual({ status: 'wrong', attemptsLeft: 2 });
  });

  it('is worth nothing in another session of the same device, which took its place', async () => {
    const device = await UnlockingDevice.open(server);
    await device.ask();
    const { code } = await desk.next();
    const thief = await UnlockingDevice.open(server);
    await thief.ask();
    await desk.next();
    expect(await thief.give(code)).toEqual({ status: 'wrong', attemptsLeft: 2 });
  });

  it('is worth nothing for another device', async () => {
    const device = await UnlockingDevice.open(server);
    await device.ask();
    const { code } = await desk.next();
    const other = await UnlockingDevice.open(server, 'pump-8');
    await other.ask();
    await desk.next();
    expect(await other.give(code)).toEqual({ status: 'wrong', attemptsLeft: 2 });
    // An application that may publish events in the name of devices cannot give it for them either: it goes its way as an event.
    const application = await RawClient.open(server, 'desk');
    application.publish('iot-2/type/pump/id/pump-7/evt/unlock-response/fmt/json', JSON.stringify({ code }), { qos: 1 });
    await application.take('puback');
    expect(await server.api.unlocks.list('demo')).toMatchObject({ items: [{}, {}] });
  });

  it('is void as soon as a new one was asked for', async () => {
    const device = await UnlockingDevice.open(server);
    await device.ask();
    const { code } = await desk.next();
    await device.ask();
    const newer = (await desk.next()).code;
    expect(await device.give(code)).toEqual({ status: 'wrong', attemptsLeft: 2 });
    expect(await device.give(newer)).toEqual({ status: 'unlocked' });
  });

  it('goes to the server alone: who listens to the events of the device hears nothing of it', async () => {
    const listener = await RawClient.open(server, 'tap');
    await listener.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const device = await UnlockingDevice.open(server);
    await device.ask();
    const { code } = await desk.next();
    await device.give('000');
    await device.give(code);
    device.client.publish(GIVE, JSON.stringify({ code }));
    expect(await device.told()).toEqual({ status: 'unlocked' });
    expect(await listener.heard()).toEqual([]);
  });

  it('is not for applications of other roles, nor for devices', async () => {
    const other = await RawClient.open(server, 'tap');
    expect(await other.subscribe('iot-2/type/+/id/+/unlock-code')).toBe(0x87);
    await demandCodes(server, { mode: 'off' });
    const device = await RawClient.open(server, 'pump-8');
    expect(await device.subscribe('iot-2/type/pump/id/pump-8/unlock-code')).toBe(0x87);
  });
});
