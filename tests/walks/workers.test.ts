import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Publish } from '@sallyport/mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identity, type Login, RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { company, type Shown, serverPair, shownAt } from '../server-pairs.ts';
import { Placement } from '../workers.ts';

const KEPT: Login = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
const PUMP_7 = 'd:demo:pump:pump-7';
const PUMP_8 = 'd:demo:pump:pump-8';
const DESK = 'a:demo:desk';
const PATIENCE = { timeout: 60_000 };

let server: TestServer;
let placement: Placement;
beforeEach(async () => {
  server = await testServer({
    workers: 2,
    'listeners.mqttPlain.allowPlaintextListener': true,
    'limits.maximumTakeoverRate': 1000,
    'limits.devices.maximumConnectRate': 1000,
  });
  placement = new Placement(server);
});
afterEach(() => server.close());

/** Everything of a client that is to come, in its order, acknowledged. */
function receive(client: RawClient, into: string[]): void {
  const take = async (): Promise<void> => {
    for (;;) {
      const packet = await client.takeOrEnd('publish');
      if (packet === undefined) return;
      into.push(Buffer.from(packet.payload).toString());
      client.send({ type: 'puback', packetId: (packet as Publish & { packetId: number }).packetId, reasonCode: 0 });
    }
  };
  void take();
}

describe('two worker processes', { timeout: 180_000 }, () => {
  it('serve clients that talk to each other, both ways', async () => {
    const device = await placement.open(1, 'pump-7', PUMP_7);
    const application = await placement.open(2, 'desk', DESK);
    expect(await device.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 })).toBe(1);
    expect(await application.subscribe('iot-2/type/+/id/+/evt/+/fmt/+', { qos: 1 })).toBe(1);
    device.publish('iot-2/evt/status/fmt/json', 'up', { qos: 1 });
    expect((await device.take('puback')).reasonCode).toBe(0);
    expect(await application.take('publish')).toMatchObject({ topic: 'iot-2/type/pump/id/pump-7/evt/status/fmt/json' });
    application.publish('iot-2/type/pump/id/pump-7/cmd/stop/fmt/json', 'now', { qos: 1 });
    expect((await application.take('puback')).reasonCode).toBe(0);
    expect(await device.take('publish')).toMatchObject({ topic: 'iot-2/cmd/stop/fmt/json' });
  });

  it('let a client take itself over from one to the other, with what waits for it', async () => {
    const before = await placement.open(1, 'pump-7', PUMP_7, KEPT);
    expect(await before.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 })).toBe(1);
    const after = await placement.open(2, 'pump-7', PUMP_7, KEPT);
    expect(await before.take('disconnect')).toMatchObject({ reasonCode: 0x8e });
    const application = await placement.open(1, 'desk', DESK);
    application.publish('iot-2/type/pump/id/pump-7/cmd/stop/fmt/json', 'here', { qos: 1 });
    expect((await application.take('puback')).reasonCode).toBe(0);
    expect(Buffer.from((await after.take('publish')).payload).toString()).toBe('here');
    expect((await server.api.sessions.list('demo')).items.filter(({ clientId }) => clientId === PUMP_7)).toHaveLength(
      1,
    );
  });

  it('are listed, counted and asked as one server', async () => {
    await placement.open(1, 'pump-7', PUMP_7);
    await placement.open(2, 'pump-8', PUMP_8);
    const { items } = await server.api.sessions.list('demo');
    expect(items.map(({ clientId, connected }) => [clientId, connected])).toEqual([
      [PUMP_7, true],
      [PUMP_8, true],
    ]);
    expect((await server.api.health()).parts).toMatchObject({ 'worker 1': 'ok', 'worker 2': 'ok' });
    const metrics = await server.api.metrics();
    expect(metrics).toMatch(/^sallyport_workers 2$/m);
    expect(metrics).toMatch(/^sallyport_sessions 2$/m);
    expect(await server.api.sessions.close('demo', PUMP_8)).toBeUndefined();
    await expect.poll(async () => (await server.api.sessions.list('demo')).items.length, PATIENCE).toBe(1);
  });

  it('lose nothing that was acknowledged when one is killed under load, and the other is not disturbed', async () => {
    const pids = await placement.processes();
    const victim = await placement.open(1, 'pump-7', PUMP_7, KEPT);
    const other = await placement.open(2, 'pump-8', PUMP_8);
    const application = await placement.open(2, 'desk', DESK);
    expect(await victim.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 })).toBe(1);
    expect(await other.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 })).toBe(1);
    const toVictim: string[] = [];
    const toOther: string[] = [];
    receive(victim, toVictim);
    receive(other, toOther);
    const acknowledged = new Set<string>();
    const all: string[] = [];
    for (let number = 1; number <= 400; number++) {
      const payload = `m${number}`;
      all.push(payload);
      for (const id of ['pump-7', 'pump-8']) {
        application.publish(`iot-2/type/pump/id/${id}/cmd/do/fmt/json`, payload, { qos: 1, packetId: number });
        if ((await application.take('puback')).reasonCode < 0x80 && id === 'pump-7') acknowledged.add(payload);
      }
      if (number === 150) process.kill(pids.get(1) ?? 0, 'SIGKILL');
    }
    await victim.gone;
    expect(other.closed).toBe(false);
    await expect.poll(() => toOther, PATIENCE).toEqual(all);
    const { client: back, welcome } = await again();
    expect(welcome.sessionPresent).toBe(true);
    receive(back, toVictim);
    const missing = () => [...acknowledged].filter((payload) => !toVictim.includes(payload));
    await expect.poll(missing, PATIENCE).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(149);
    expect((await server.api.audit({ type: 'worker.lost' })).items[0]).toMatchObject({ details: { worker: 1 } });
    await expect.poll(async () => (await placement.processes()).get(1), PATIENCE).not.toBe(pids.get(1));
    await expect.poll(async () => (await server.api.health()).parts['worker 1'], PATIENCE).toBe('ok');
    await placement.open(1, 'lab', 'a:demo:lab');

    async function again() {
      for (;;) {
        const client = await RawClient.dial(server);
        const welcome = await client.connect({ ...identity(server, 'pump-7'), ...KEPT });
        if (welcome.reasonCode === 0) return { client, welcome };
        await client.gone;
      }
    }
  });

  it('take leave of their clients when the server stops', async () => {
    const one = await placement.open(1, 'pump-7', PUMP_7);
    const two = await placement.open(2, 'pump-8', PUMP_8);
    const pids = [...(await placement.processes()).values()];
    await server.close();
    expect((await one.take('disconnect')).reasonCode).toBe(0x8b);
    expect((await two.take('disconnect')).reasonCode).toBe(0x8b);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
  });

  it('keep sessions over a restart with another number of workers', async () => {
    const device = await placement.open(2, 'pump-7', PUMP_7, KEPT);
    expect(await device.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 })).toBe(1);
    await device.vanish();
    const application = await placement.open(1, 'desk', DESK);
    application.publish('iot-2/type/pump/id/pump-7/cmd/stop/fmt/json', 'kept', { qos: 1 });
    expect((await application.take('puback')).reasonCode).toBe(0);
    const session = async () => (await server.api.sessions.list('demo')).items.find((one) => one.clientId === PUMP_7);
    await expect.poll(session, PATIENCE).toMatchObject({ connected: false, queued: 1 });
    const back = await placement.open(1, 'pump-7', PUMP_7, KEPT);
    expect(Buffer.from((await back.take('publish')).payload).toString()).toBe('kept');
  });

  it('show a new server certificate at once, and resume the sessions of each other', async () => {
    const ours = await company();
    const before = await shownAt(server.port, { ca: ours.root.pem, serverName: 'localhost' });
    await server.api.serverCertificate.set(await serverPair(ours, ['localhost']));
    const shown: Shown[] = [];
    for (let round = 0; round < 4; round++) {
      shown.push(await shownAt(server.port, { ca: ours.root.pem, serverName: 'localhost', ...sessionOf(before) }));
    }
    expect(shown.map(({ good, resumed }) => [good, resumed])).toEqual(Array(4).fill([true, false]));
    let last = shown[3];
    const fillers: Socket[] = [];
    for (let round = 0; round < 4; round++) {
      // Somebody comes between, so that the client meets both workers.
      const filler = connectTcp({ host: '127.0.0.1', port: server.port });
      await once(filler, 'connect');
      fillers.push(filler);
      last = await shownAt(server.port, { ca: ours.root.pem, serverName: 'localhost', ...sessionOf(last) });
      expect(last.resumed).toBe(true);
    }
    for (const filler of fillers) filler.destroy();
  });
});

function sessionOf(shown: Shown | undefined): { readonly session?: Buffer } {
  return shown?.session === undefined ? {} : { session: shown.session };
}
