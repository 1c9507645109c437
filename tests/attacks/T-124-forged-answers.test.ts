import { connectApplication } from '@sallyport/application';
import { connectDevice } from '@sallyport/device';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

let server: TestServer;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  server = await testServer();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.close();
});

const PUMP = { type: 'pump', id: 'pump-7' };
const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
async function pump() {
  const made = await connectDevice({ ...place(), ...PUMP, token: server.tokens['pump-7'] ?? '' });
  opened.push(made);
  return made;
}
async function desk() {
  const credential = { key: server.keys.desk ?? '', token: server.tokens.desk ?? '' };
  const made = await connectApplication({ ...place(), id: 'desk', ...credential });
  opened.push(made);
  return made;
}

describe('a request to a device', () => {
  it('is answered by the device that was asked, and by no other that guesses it', async () => {
    const application = await desk();
    const victim = await RawClient.open(server, 'pump-7');
    await victim.subscribe('iot-2/cmd/+/fmt/+');
    const other = await RawClient.open(server, 'pump-8');
    const asked = application.request(PUMP, 'open', {});
    const { properties } = await victim.take('publish');
    const correlationData = properties?.correlationData as Uint8Array;
    expect(properties?.responseTopic).toBe('iot-2/evt/reply/fmt/json');
    other.publish('iot-2/evt/reply/fmt/json', '"forged"', { qos: 1, properties: { correlationData } });
    await other.take('puback');
    victim.publish('iot-2/evt/reply/fmt/json', '"true"', { qos: 1, properties: { correlationData } });
    expect(await asked).toBe('true');
  });

  it('makes a device speak on its topic for answers only', async () => {
    const device = await pump();
    await device.onCommand('where', () => 'here');
    const tap = await RawClient.open(server, 'tap');
    await tap.subscribe('iot-2/type/+/id/+/evt/+/fmt/+');
    const sender = await RawClient.open(server, 'desk');
    const topic = 'iot-2/type/pump/id/pump-7/cmd/where/fmt/json';
    const correlationData = Buffer.from('1');
    for (const responseTopic of ['iot-2/evt/alarm/fmt/json', 'iot-2/type/pump/id/pump-8/evt/reply/fmt/json']) {
      sender.publish(topic, 'null', { qos: 1, properties: { responseTopic, correlationData } });
      await sender.take('puback');
    }
    sender.publish(topic, 'null', {
      qos: 1,
      properties: { responseTopic: 'iot-2/evt/reply/fmt/json', correlationData },
    });
    expect((await tap.take('publish')).topic).toBe('iot-2/type/pump/id/pump-7/evt/reply/fmt/json');
    expect(tap.packets.filter(({ type }) => type === 'publish')).toEqual([]);
  });
});
