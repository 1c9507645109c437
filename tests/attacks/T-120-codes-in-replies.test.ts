import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventStream } from '../../packages/server/src/events/stream.ts';
import { announceUnsafeUnlocks } from '../../packages/server/src/wiring/unlock.ts';
import { type TestServer, testServer } from '../server.ts';
import { demandCodes } from '../unlock-devices.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
});
afterEach(() => server.close());

const EVENT = 'iot-2/evt/eid/fmt/json';
const COMMAND = 'iot-2/cmd/cid/fmt/json';
const REQUEST = JSON.stringify({ event: 'server_otp_request', deviceId: 'pump-7' });

describe('asking for the code as the published flow does', () => {
  it('is refused where the device type does not take that flow', async () => {
    await demandCodes(server);
    const device = await RawClient.open(server, 'pump-7');
    expect(await device.subscribe(COMMAND)).toBe(0x87);
    device.publish(EVENT, REQUEST, { qos: 1 });
    expect(await device.take('puback')).toMatchObject({ reasonCode: 0x87 });
  });

  it('gives no code where the device type does not allow it by name', async () => {
    await demandCodes(server, { channels: ['console'], publishedFlow: true });
    const device = await RawClient.open(server, 'pump-7');
    await device.subscribe(COMMAND);
    device.publish(EVENT, REQUEST);
    expect(JSON.parse(Buffer.from((await device.take('publish')).payload).toString())).toMatchObject({ otp: '' });
  });

  it('cannot be allowed without taking the published flow, and is named unsafe at once and at each start', async () => {
    const type = { organisation: 'demo', id: 'pump' };
    const unlock = { mode: 'one-time-code', allowCodeInReply: true } as const;
    await expect(server.api.types.update(type, { unlock })).rejects.toMatchObject({ code: 'invalid_request' });
    await server.api.types.update(type, { unlock: { ...unlock, publishedFlow: true } });
    const unsafe = { setting: 'device type demo/pump, unlock.allowCodeInReply' };
    const rows = async () => (await server.api.audit({ type: 'server.unsafe' })).items.map(({ details }) => details);
    while ((await rows()).length === 0);
    expect(await rows()).toMatchObject([unsafe]);
    const announced: unknown[] = [];
    const events = new EventStream();
    events.on('*', (event) => announced.push(event));
    await announceUnsafeUnlocks({ registry: server.server.registry, events });
    expect(announced).toMatchObject([unsafe]);
  });

  it('opens nothing else: what else is sent on the topic is refused until the code is given', async () => {
    await demandCodes(server, { publishedFlow: true });
    const listener = await RawClient.open(server, 'tap');
    await listener.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const device = await RawClient.open(server, 'pump-7');
    for (const payload of [
      '{"event":"data"}',
      '{"event":["server_otp_request"]}',
      'null',
      '',
      '{"event":"SERVER_OTP_REQUEST"}',
    ]) {
      device.publish(EVENT, payload, { qos: 1 });
      expect(await device.take('puback')).toMatchObject({ reasonCode: 0x87 });
    }
    expect(await listener.heard()).toEqual([]);
  });
});
