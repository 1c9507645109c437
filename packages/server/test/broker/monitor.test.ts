import { describe, expect, it } from 'vitest';
import { monitorSessions } from '../../src/broker/monitor.ts';
import { Stage, settled } from './harness.ts';

const DEVICE = 'd:demo:pump:pump-7';

function watched(): Stage {
  const stage = new Stage();
  monitorSessions({
    events: stage.events,
    publish: (organisation, message) => stage.broker.publish(organisation, message),
    exists: (clientId) => clientId.text === DEVICE,
    now: () => stage.time,
  });
  return stage;
}

function bodies(texts: string[]): unknown[] {
  return texts.map((text) => JSON.parse(text.slice(text.indexOf('{'))));
}

describe('the mon topics', () => {
  it('tell of a device that connects and disconnects, and keep the last', async () => {
    const stage = watched();
    const desk = await stage.connect('a:demo:desk');
    await desk.subscribed('iot-2/type/+/id/+/mon');
    const device = await stage.connect(DEVICE, { protocolVersion: 4, username: 'use-token-auth' });
    const [connect] = bodies(desk.messages());
    expect(connect).toEqual({
      Action: 'Connect',
      Time: new Date(stage.time).toISOString(),
      ClientAddr: '192.0.2.1',
      ClientID: DEVICE,
      Port: 8883,
      Secure: true,
      Protocol: 'mqtt4',
      ConnectTime: new Date(stage.time).toISOString(),
    });
    await device.vanish();
    expect(bodies(desk.messages())).toMatchObject([{ Action: 'Disconnect', CloseCode: 91, ReadMsg: 0 }]);
    const late = await stage.connect('a:demo:late');
    await late.subscribed('iot-2/type/pump/id/pump-7/mon');
    expect(late.packets).toMatchObject([{ retain: true, topic: 'iot-2/type/pump/id/pump-7/mon' }]);
  });

  it('tell why the older of two connections with one client id was closed', async () => {
    const stage = watched();
    const desk = await stage.connect('a:demo:desk');
    await desk.subscribed('iot-2/type/+/id/+/mon');
    await stage.connect(DEVICE);
    await stage.connect(DEVICE);
    expect(bodies(desk.messages())).toMatchObject([
      { Action: 'Connect' },
      { Action: 'Disconnect', CloseCode: 288 },
      { Action: 'Connect' },
    ]);
  });

  it('keep nothing of an application that has gone', async () => {
    const stage = watched();
    const desk = await stage.connect('a:demo:desk');
    await desk.subscribed('iot-2/app/+/mon');
    desk.packets = [];
    const other = await stage.connect('a:demo:other', { username: 'a-demo-key' });
    await other.vanish();
    expect(bodies(desk.messages().slice(0, 2))).toMatchObject([
      { Action: 'Connect', User: 'a-demo-key' },
      { Action: 'Disconnect' },
    ]);
    const late = await stage.connect('a:demo:late');
    await late.subscribed('iot-2/app/other/mon');
    expect(late.messages()).toEqual([]);
  });

  it('tell of refused connections of known devices only, not kept, and not of each', async () => {
    const stage = watched();
    const desk = await stage.connect('a:demo:desk');
    await desk.subscribed('iot-2/type/+/id/+/mon');
    const refuse = (clientId: string): void => {
      const refusal = stage.refuse({
        action: 'connect',
        reason: 'wrong_secret',
        reasonCode: 0x87,
        clientId,
        steps: [],
        cure: '',
      });
      stage.events.emit({ type: 'session.refused', refusal, transport: { ...TRANSPORT } });
    };
    for (let round = 0; round < 5; round++) refuse(DEVICE);
    refuse('d:demo:pump:guess');
    await settled();
    expect(bodies(desk.messages())).toMatchObject([{ Action: 'FailedConnect', ClientID: DEVICE }]);
    expect(stage.counters.retainedNow).toBe(1);
    stage.time += 11_000;
    refuse(DEVICE);
    await settled();
    expect(desk.messages()).toHaveLength(1);
  });
});

const TRANSPORT = {
  listener: 'test',
  transport: 'tls',
  secure: true,
  remoteAddress: '192.0.2.1',
  remotePort: 1,
  localPort: 8883,
} as const;
