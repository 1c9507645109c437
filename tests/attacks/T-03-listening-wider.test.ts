import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
});
afterAll(() => server.close());

const OWN_COMMANDS = 'iot-2/cmd/+/fmt/+';
const WIDER = [
  '#',
  '+',
  '/#',
  '+/#',
  '+/+/#',
  '+/cmd/+/fmt/+',
  'iot-2/#',
  'iot-2/+/#',
  'iot-2/cmd/#',
  'iot-2/evt/+/fmt/+',
  'iot-2/+/+/fmt/+',
  'iot-2/cmd/+/fmt/+/#',
  'iot-2/type/+/id/+/cmd/+/fmt/+',
  'iot-2/type/pump/id/+/cmd/+/fmt/+',
  'iot-2/type/+/id/pump-7/cmd/+/fmt/+',
  'iot-2/type/pump/id/pump-8/cmd/+/fmt/+',
  'iot-2/type/pump/id/pump-8/evt/+/fmt/+',
  'iot-2/../id/pump-8/cmd/+/fmt/+',
  'iot-2%2ftype%2fpump%2fid%2fpump-8%2fcmd%2f+',
  'IOT-2/#',
  'iot-2/type/+/id/+/mon',
  'iot-2/app/+/mon',
  'iotdevice-1/#',
  '$SYS/#',
  '$SYS/broker/clients/total',
  '$#',
  '$share/g/#',
  '$share/g/iot-2/#',
  '$share/g/iot-2/type/+/id/+/cmd/+/fmt/+',
  '$share/g/$share/g/#',
  '$share/g/$SYS/#',
  '$Share/g/#',
  '$SharedSubscription/g/#',
  '$SharedSubscription/iot-2/cmd/+/fmt/+',
  '$queue/#',
  '$delayed/1/#',
  '$exclusive/#',
  'lab/#',
];

/** Not even filters; the decoder or the broker must say so. */
const MALFORMED = [
  '',
  '#/a',
  'a#',
  'a/#/b',
  'a+',
  '+a',
  '$share/g',
  '$share//#',
  '$share/+/x',
  '$share/#/x',
  '$share',
  'a\u0000b',
];

describe.each(VERSIONS)('a device that speaks version %s', (version) => {
  it.each([...WIDER, ...MALFORMED])('does not get %j', async (filter) => {
    const device = await RawClient.open(server, 'pump-7', {}, version);
    const answer = await device.subscribe(filter);
    if (answer !== 'closed') expect(answer).toBeGreaterThanOrEqual(0x80);
    const sender = await RawClient.open(server, 'lab', { clientId: `sender-${version}` });
    for (const topic of [
      'iot-2/type/pump/id/pump-8/cmd/blink/fmt/json',
      'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json',
      'lab/x',
      'x',
    ]) {
      sender.publish(topic, 'secret');
    }
    await sender.settled();
    expect(await device.heard()).toEqual([]);
    await Promise.all([device.vanish(), sender.vanish()]);
  });

  it('hears its own commands alone, however many filters of one packet overlap them', async () => {
    const device = await RawClient.open(server, 'pump-7', {}, version);
    const line = (filter: string) =>
      ({ filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;
    const filters = [
      OWN_COMMANDS,
      'iot-2/cmd/blink/fmt/+',
      ...(version === 5 ? ['#', 'iot-2/type/+/id/+/cmd/+/fmt/+'] : []),
    ];
    device.send({ type: 'subscribe', packetId: 9, subscriptions: filters.map(line) });
    expect((await device.take('suback')).reasonCodes.filter((code) => code < 0x80)).toHaveLength(2);
    const sender = await RawClient.open(server, 'desk');
    sender.publish('iot-2/type/pump/id/pump-8/cmd/blink/fmt/json', 'not yours');
    sender.publish('iot-2/type/pump/id/pump-7/cmd/blink/fmt/json', 'yours');
    await sender.settled();
    expect(new Set(await device.heard())).toEqual(new Set(['iot-2/cmd/blink/fmt/json yours']));
    await Promise.all([device.vanish(), sender.vanish()]);
  });
});

describe('an application whose policy permits everything', () => {
  it.each(['$SYS/#', '$SYS/broker/uptime', '$share/g/$SYS/#', '$iot/#', '$', '$SharedSubscription/g/#'])(
    'still does not get %s',
    async (filter) => {
      const lab = await RawClient.open(server, 'lab', { clientId: 'lab-1' });
      expect(await lab.subscribe(filter)).toBeGreaterThanOrEqual(0x80);
      await lab.vanish();
    },
  );
});
