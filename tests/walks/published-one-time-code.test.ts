import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { anotherCode, CodeDesk, demandCodes } from '../unlock-devices.ts';

/*
 * A device in the field: it speaks MQTT 3.1.1, knows one event topic and one command topic, and names events and commands in the JSON.
 */

const EVENT = 'iot-2/evt/eid/fmt/json';
const COMMAND = 'iot-2/cmd/cid/fmt/json';

let server: TestServer;
let device: MqttClient;
let heard: Record<string, unknown>[] = [];
let wake = () => {};
beforeEach(async () => {
  server = await testServer();
});
afterEach(async () => {
  await device.endAsync(true);
  await server.close();
});

async function connectFielded(): Promise<void> {
  heard = [];
  device = await connectAsync(`mqtts://localhost:${server.port}`, {
    clientId: 'd:demo:pump:pump-7',
    username: 'use-token-auth',
    password: server.tokens['pump-7'] ?? '',
    ca: server.rootPem,
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  device.on('error', () => {});
  device.on('message', (_topic, payload) => {
    heard.push(JSON.parse(payload.toString()));
    wake();
  });
  await device.subscribeAsync(COMMAND);
}

const say = (event: object) => device.publishAsync(EVENT, JSON.stringify(event), { qos: 1 });

async function answer(): Promise<Record<string, unknown>> {
  while (heard.length === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return heard.shift()!;
}

describe('a fielded device whose type takes the published flow', () => {
  it('asks, gets an answer without the code, and is let in by the code that its owner got', async () => {
    await demandCodes(server, { publishedFlow: true });
    const desk = await CodeDesk.open(server);
    await connectFielded();
    await say({ event: 'server_otp_request', deviceId: 'pump-7' });
    expect(await answer()).toEqual({
      cmd: 'server_otp_response',
      otp: '',
      appid: 'sallyport',
      time: expect.stringMatching(/^2/),
    });
    const { code } = await desk.next();
    await say({ event: 'device_otp_response', deviceid: 'pump-7', otp: anotherCode(code) });
    expect(await answer()).toMatchObject({ cmd: 'server_otp_validate', isOTPValid: 'false', isTimeOut: 'false' });
    await say({ event: 'device_otp_response', deviceid: 'pump-7', otp: code });
    expect(await answer()).toMatchObject({ cmd: 'server_otp_validate', isOTPValid: 'true', isTimeOut: 'false' });
    await say({ event: 'data', d: { count: 1 } });
    expect(device.connected).toBe(true);
  });

  it('is let in by the code in the answer where its type allows that, and an incident is told each time', async () => {
    await demandCodes(server, { channels: ['console'], publishedFlow: true, allowCodeInReply: true });
    const told: string[] = [];
    server.server.events.on('unlock.code-in-reply', ({ principal }) => told.push(principal));
    await connectFielded();
    await say({ event: 'server_otp_request', deviceId: 'pump-7' });
    const { otp } = await answer();
    expect(otp).toMatch(/^[0-9]{6}$/);
    await say({ event: 'device_otp_response', deviceid: 'pump-7', otp });
    expect(await answer()).toMatchObject({ isOTPValid: 'true' });
    expect(told).toEqual(['device:demo/pump/pump-7']);
  });

  it('is cut off when it sends data before its code', async () => {
    await demandCodes(server, { publishedFlow: true });
    await connectFielded();
    const closed = new Promise<void>((resolve) => device.once('close', () => resolve()));
    device.publish(EVENT, JSON.stringify({ event: 'data', d: { count: 1 } }), { qos: 1 });
    await closed;
    expect((await server.api.refusals({ limit: 1 })).items[0]).toMatchObject({ reason: 'unlock_required' });
  });
});
