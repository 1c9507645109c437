import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { Placement } from '../workers.ts';
import { identity, RawClient } from './raw-client.ts';

const PATIENCE = { timeout: 60_000 };

let server: TestServer;
let placement: Placement;
beforeEach(async () => {
  server = await testServer({
    workers: 2,
    'limits.maximumTakeoverRate': 1000,
    'limits.devices.maximumConnectRate': 1000,
    'listeners.mqttTls.maximumConnections': 20,
  });
  placement = new Placement(server);
});
afterEach(() => server.close());

async function kill(worker: number): Promise<void> {
  const pid = (await placement.processes()).get(worker) ?? 0;
  process.kill(pid, 'SIGKILL');
  await expect.poll(async () => (await placement.processes()).get(worker), PATIENCE).not.toBe(pid);
}

describe('a worker that is brought to die', { timeout: 180_000 }, () => {
  it('again and again, takes its own connections only, and its places are free again', async () => {
    const healthy = await placement.open(2, 'pump-8', 'd:demo:pump:pump-8');
    for (let round = 0; round < 3; round++) {
      const own = await placement.open(1, 'pump-7', 'd:demo:pump:pump-7');
      await kill(1);
      await own.gone;
      expect(await healthy.settled()).toBe(true);
    }
    const { items } = await server.api.audit({ type: 'worker.lost' });
    expect(items).toHaveLength(3);
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.dial(server)));
    expect(clients).toHaveLength(10);
    healthy.publish('iot-2/evt/status/fmt/json', 'there', { qos: 1 });
    expect((await healthy.take('puback')).reasonCode).toBeLessThan(0x80);
  });

  it('sends the wills of its clients, and gives no client id to two', async () => {
    const desk = await placement.open(2, 'desk', 'a:demo:desk');
    expect(await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+')).toBe(0);
    const will = { topic: 'iot-2/evt/gone/fmt/json', payload: Buffer.from('will'), qos: 1, retain: false } as const;
    await placement.open(1, 'pump-7', 'd:demo:pump:pump-7', { will });
    await kill(1);
    expect(Buffer.from((await desk.take('publish')).payload).toString()).toBe('will');
    const one = await RawClient.open(server, 'pump-7');
    const two = await RawClient.open(server, 'pump-7');
    expect((await one.take('disconnect')).reasonCode).toBe(0x8e);
    expect(await two.settled()).toBe(true);
  });

  it('keeps the rights of what it had: a session that its principal may not have any more does not come back', async () => {
    const kept = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
    await placement.open(1, 'pump-7', 'd:demo:pump:pump-7', kept);
    const pid = (await placement.processes()).get(1) ?? 0;
    process.kill(pid, 'SIGSTOP');
    const suspended = server.api.devices.suspend({ organisation: 'demo', type: 'pump', id: 'pump-7' });
    process.kill(pid, 'SIGKILL');
    await suspended;
    await expect.poll(async () => (await server.api.sessions.list('demo')).items.length, PATIENCE).toBe(0);
    const { code } = await RawClient.login(server, identity(server, 'pump-7'));
    expect(code).not.toBe(0);
  });
});
