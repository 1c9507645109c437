import { describe, expect, it } from 'vitest';
import { Stage, settled } from './harness.ts';

const DEVICE = 'd:demo:pump:pump-7';
const GATEWAY = 'g:demo:hub:hub-1';
const APPLICATION = 'a:demo:desk';
const BY_4 = { protocolVersion: 4 } as const;

/** Device topics of pump-7 and the hub's own, nothing else. */
function strict(): Stage {
  const stage = new Stage();
  const topics = ['iot-2/type/+/id/+/evt/+/fmt/+', 'iot-2/type/+/id/+/cmd/+/fmt/+', 'iot-2/type/+/id/+/notify'];
  stage.permitted.set('demo', { publish: topics, subscribe: topics, receive: topics });
  return stage;
}

describe('a Watson-style device', () => {
  it('speaks in short topics and hears in short topics, applications in full ones', async () => {
    const stage = strict();
    const device = await stage.connect(DEVICE, BY_4);
    const desk = await stage.connect(APPLICATION, BY_4);
    const other = await stage.connect('d:demo:pump:pump-8', BY_4);
    for (const each of [device, other]) await each.subscribed('iot-2/cmd/+/fmt/+', { qos: 2 });
    await desk.subscribed('iot-2/type/+/id/+/evt/+/fmt/+');
    device.publish('iot-2/evt/flow/fmt/json', '{}');
    desk.publish('iot-2/type/pump/id/pump-7/cmd/stop/fmt/json', 'now', { qos: 1 });
    await settled();
    expect(desk.messages()).toEqual(['iot-2/type/pump/id/pump-7/evt/flow/fmt/json {}']);
    expect(device.expect('publish')).toMatchObject({ topic: 'iot-2/cmd/stop/fmt/json', qos: 1 });
    expect(other.packets).toEqual([]);
  });

  it('gets queued messages in short topics too', async () => {
    const stage = strict();
    const kept = { ...BY_4, cleanStart: false };
    const device = await stage.connect(DEVICE, kept);
    await device.subscribed('iot-2/cmd/+/fmt/+', { qos: 1 });
    await device.vanish();
    (await stage.connect(APPLICATION)).publish('iot-2/type/pump/id/pump-7/cmd/stop/fmt/json', 'now', { qos: 1 });
    await settled();
    expect((await stage.connect(DEVICE, kept)).messages()).toEqual(['iot-2/cmd/stop/fmt/json now']);
  });

  it('cannot name another device', async () => {
    const stage = strict();
    const desk = await stage.connect(APPLICATION);
    await desk.subscribed('iot-2/type/+/id/+/evt/+/fmt/+');
    const device = await stage.connect(DEVICE);
    device.publish('iot-2/type/pump/id/pump-8/evt/flow/fmt/json', 'lie', { qos: 1 });
    await settled();
    expect(device.expect('puback').reasonCode).toBe(0x90);
    expect(await device.subscribed('iot-2/type/pump/id/pump-8/cmd/+/fmt/+')).toBe(0x87);
    expect(desk.messages()).toEqual([]);
  });

  it('retains nothing', async () => {
    const stage = strict();
    const desk = await stage.connect(APPLICATION);
    await desk.subscribed('iot-2/type/+/id/+/evt/+/fmt/+', { retainAsPublished: true });
    const device = await stage.connect(DEVICE, BY_4);
    device.publish('iot-2/evt/flow/fmt/json', 'x', { retain: true });
    await settled();
    expect(desk.expect('publish').retain).toBe(false);
    expect(stage.counters.retainedNow).toBe(0);
  });

  it.each([
    { name: 'publishing outside the rules', act: 'publish', closeCode: 276 },
    { name: 'subscribing outside the rules', act: 'subscribe', closeCode: 276 },
  ] as const)('is closed with $closeCode in MQTT 3.1.1 for $name', async ({ act, closeCode }) => {
    const stage = strict();
    const device = await stage.connect(DEVICE, BY_4);
    if (act === 'publish') device.publish('anything', '', { qos: 1 });
    else device.subscribe('#');
    await settled();
    expect(device.ended).toBe(true);
    expect(device.packets).toEqual([]);
    expect(stage.of('session.closed')).toMatchObject([{ closeCode }]);
  });

  it.each([
    { version: 4, packets: [] },
    { version: 5, packets: [0x95] },
  ] as const)('is closed with 287 for a payload above 131072 bytes at level $version', async ({ version, packets }) => {
    const stage = strict();
    const device = await stage.connect(DEVICE, { protocolVersion: version });
    const topic = 'iot-2/evt/flow/fmt/json';
    device.publish(topic, 'x'.repeat(131_072));
    await settled();
    expect(device.ended).toBe(false);
    device.publish(topic, 'x'.repeat(131_073));
    await settled();
    expect(device.packets.map((packet) => (packet as { reasonCode: number }).reasonCode)).toEqual(packets);
    expect(stage.of('session.closed')).toMatchObject([{ closeCode: 287 }]);
  });

  it('cannot make a topic longer than the protocol can carry', async () => {
    const stage = new Stage();
    const watching = await stage.connect('watching');
    await watching.subscribed('#');
    const device = await stage.connect(DEVICE);
    device.publish(`iot-2/${'x'.repeat(65_520)}`, '', { qos: 1 });
    await settled();
    expect(device.expect('puback').reasonCode).toBe(0x97);
  });
});

describe('a Watson-style gateway', () => {
  it('is told on its notify topic what it may not do, acknowledged, and stays', async () => {
    const stage = strict();
    const gateway = await stage.connect(GATEWAY, BY_4);
    await gateway.subscribed('iot-2/type/hub/id/hub-1/notify');
    gateway.publish('iot-2/type/pump/id/pump-7/nonsense/x', '', { qos: 1, packetId: 4 });
    gateway.publish('iot-2/type/pump/id/pump-7/nonsense/x', '', { qos: 2, packetId: 5 });
    gateway.ack('pubrel', 5);
    gateway.subscribe('#', { qos: 1 });
    await settled();
    const notices = gateway.messages().map((text) => JSON.parse(text.slice(text.indexOf('{'))));
    expect(notices).toMatchObject([
      { Request: 'Publish', Type: 'pump', Id: 'pump-7', Client: GATEWAY, RC: 276 },
      { Request: 'Publish', Topic: 'iot-2/type/pump/id/pump-7/nonsense/x' },
      { Request: 'Subscribe', Topic: '#' },
    ]);
    expect(gateway.packets).toMatchObject([
      { type: 'puback', packetId: 4 },
      { type: 'pubrec', packetId: 5 },
      { type: 'pubcomp', packetId: 5 },
      { type: 'suback', reasonCodes: [1] },
    ]);
    expect(gateway.ended).toBe(false);
    expect(stage.broker.findSession('demo', GATEWAY)?.subscriptions).toHaveLength(1);
  });
});

describe('a scalable application', () => {
  it('has many instances without names that share each subscription and do not take each other over', async () => {
    const stage = new Stage();
    const first = await stage.connect('A:demo:desk', BY_4);
    const second = await stage.connect('A:demo:desk', { ...BY_4, cleanStart: false });
    for (const each of [first, second]) await each.subscribed('iot-2/type/+/id/+/evt/+/fmt/+');
    const device = await stage.connect(DEVICE);
    for (let index = 0; index < 4; index++) device.publish('iot-2/evt/flow/fmt/json', String(index));
    await settled();
    expect([first, second].map((each) => each.messages().length)).toEqual([2, 2]);
  });

  it('has a group of its own for instances with names', async () => {
    const stage = new Stage();
    const unnamed = await stage.connect('A:demo:desk');
    const named = await stage.connect('A:demo:desk:one');
    const other = await stage.connect('A:demo:desk:two');
    for (const each of [unnamed, named, other]) await each.subscribed('a');
    const sender = await stage.connect('sender');
    for (let index = 0; index < 4; index++) sender.publish('a', String(index));
    await settled();
    expect([unnamed, named, other].map((each) => each.messages().length)).toEqual([4, 2, 2]);
  });

  it('has a bound on its instances, and a keep alive of an hour at most', async () => {
    const stage = new Stage({ limits: { scalableInstances: 2 } });
    const first = await stage.connect('A:demo:desk', { keepAlive: 0 });
    expect(first.welcome.properties?.serverKeepAlive).toBe(3600);
    await stage.connect('A:demo:desk');
    expect((await stage.connect('A:demo:desk')).welcome.reasonCode).toBe(0x97);
    expect((await stage.connect('A:demo:other')).welcome.reasonCode).toBe(0);
  });
});
