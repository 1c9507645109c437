import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
let witness: RawClient;
beforeAll(async () => {
  server = await testServer();
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
  witness = await RawClient.open(server, 'lab', { clientId: 'witness' });
  expect(await witness.subscribe('#')).toBe(0);
});
afterAll(() => server.close());
beforeEach(() => witness.heard());

/** What pump-7 names in the hope of being taken for pump-8, or of reaching a topic that is nobody's. */
const NAMED = [
  'iot-2/type/pump/id/pump-8/evt/status/fmt/json',
  'iot-2/type/pump/id/pump-7/type/pump/id/pump-8/evt/status/fmt/json',
  'iot-2/type/pump/id/pump-7/evt/status/fmt/json',
  'iot-2/type/pump/id/pump-7/type/pump/id/pump-7/evt/status/fmt/json',
  'iot-2/../type/pump/id/pump-8/evt/status/fmt/json',
  'iot-2/evt/../../id/pump-8/evt/status/fmt/json',
  'iot-2/%2e%2e/id/pump-8/evt/status/fmt/json',
  'iot-2%2ftype%2fpump%2fid%2fpump-8%2fevt%2fstatus%2ffmt%2fjson',
  'iot-2/type%2Fpump%2Fid%2Fpump-8/evt/status/fmt/json',
  'iot-2\\type\\pump\\id\\pump-8\\evt\\status\\fmt\\json',
  '/iot-2/type/pump/id/pump-8/evt/status/fmt/json',
  '//iot-2/evt/status/fmt/json',
  'iot-2//type/pump/id/pump-8/evt/status/fmt/json',
  'iot-2//evt/status/fmt/json',
  'iot-2/evt//fmt/json',
  'iot-2/evt/status/fmt/',
  'iot-2/evt/status/fmt/json/',
  'iot-2/evt/status/fmt/json/more',
  'iot-2/evt/a/b/fmt/json',
  'IOT-2/evt/status/fmt/json',
  'Iot-2/type/pump/id/pump-8/evt/status/fmt/json',
  'iot-2/TYPE/pump/ID/pump-8/evt/status/fmt/json',
  'iot-2/type/pump/id/PUMP-8/evt/status/fmt/json',
  'ıot-2/type/pump/id/pump-8/evt/status/fmt/json',
  'iot‐2/type/pump/id/pump-8/evt/status/fmt/json',
  'iot-2/tуpe/pump/id/pump-8/evt/status/fmt/json',
  'iot-2\u200b/type/pump/id/pump-8/evt/status/fmt/json',
  '\ufeffiot-2/type/pump/id/pump-8/evt/status/fmt/json',
  'iot-2 /evt/status/fmt/json',
  ' iot-2/evt/status/fmt/json',
  'iot-2/cmd/blink/fmt/json',
  'iot-2/type/pump/id/pump-8/cmd/blink/fmt/json',
  'iot-2/mon',
  'iot-2/type/pump/id/pump-8/mon',
  'iot-2/notify',
  'iot-2/app/desk/mon',
  'iotdm-1/response',
  'iotdevice-1/type/pump/id/pump-8/notify',
  'iotdevice-1/type/pump/id/pump-7/response',
  'demo/iot-2/evt/status/fmt/json',
  '$share/g/iot-2/evt/status/fmt/json',
  '$SYS/broker/uptime',
  '$iot-2/evt/status/fmt/json',
  'd:demo:pump:pump-8/evt',
  'lab',
  '/',
  'a'.repeat(60_000),
  `iot-2/evt/${'x'.repeat(65_500)}/fmt/json`,
  `iot-2/evt${'/x'.repeat(200)}/fmt/json`,
];

describe.each(VERSIONS)('a device that speaks version %s', (version) => {
  it.each(NAMED)('is heard under no topic when it publishes to %.80s', async (topic) => {
    for (const qos of [0, 1, 2] as const) {
      const device = await RawClient.open(server, 'pump-7', {}, version);
      device.publish(topic, 'forged', { qos });
      // MQTT 5 is told and goes on; to 3.1.1 an acknowledgement would be a lie.
      expect(await device.settled()).toBe(version === 5);
      if (version === 5 && qos > 0) {
        const answer = device.packets.find(({ type }) => type === (qos === 1 ? 'puback' : 'pubrec'));
        expect(answer).toMatchObject({ reasonCode: expect.toSatisfy((code: number) => code >= 0x80) });
      }
      await device.vanish();
    }
    expect((await witness.heard()).filter((line) => line.endsWith(' forged'))).toEqual([]);
  });

  it('is heard under its own name when it publishes to its own short topic', async () => {
    const device = await RawClient.open(server, 'pump-7', {}, version);
    device.publish('iot-2/evt/status/fmt/json', 'true');
    await device.settled();
    expect(await witness.heard()).toContain('iot-2/type/pump/id/pump-7/evt/status/fmt/json true');
    await device.vanish();
  });
});
