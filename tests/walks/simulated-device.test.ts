import { connectApplication } from '@sallyport/application';
import { SimulatedDevice, type SimulatedDeviceOptions } from '@sallyport/device/simulator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issuedPair } from '../certificate-clients.ts';
import { newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
const ends: (() => Promise<void>)[] = [];
beforeEach(async () => {
  server = await testServer();
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await server.close();
});

function simulated(more: Partial<SimulatedDeviceOptions> = {}): SimulatedDevice {
  const device = new SimulatedDevice({
    server: { host: server.host, port: server.port, ca: server.rootPem },
    organisation: 'demo',
    type: 'pump',
    id: 'pump-7',
    proof: { by: 'token', token: server.tokens['pump-7'] ?? '' },
    every: 60_000,
    now: Date.now,
    random: Math.random,
    ...more,
  });
  ends.push(() => device.stop());
  return device;
}

describe('a simulated device', { timeout: 120_000 }, () => {
  it('shows the stages of its connection, what it sends, and that it was switched off', async () => {
    const device = simulated();
    const stages: string[] = [];
    device.on((event) => {
      if (event.kind === 'stage') stages.push(event.stage);
    });
    await device.start();
    expect(stages.filter((stage) => stage !== 'name')).toEqual(['tcp', 'tls', 'accepted', 'subscribed']);
    expect(device.state).toMatchObject({ connection: 'online', sent: [{ sent: true }] });
    await device.stop();
    await device.send();
    expect(device.state.connection).toBe('off');
    expect(device.state.sent.at(-1)).toMatchObject({ sent: false, why: 'The device is not connected.' });
  });

  it('proves who it is by user name and password, or by certificate', async () => {
    const name = { organisation: 'demo', type: 'pump', id: 'pump-7' };
    const password = { username: 'the-pump', password: 'correct horse battery' };
    await server.api.devices.credentials.issue(name, { password });
    const byPassword = simulated({ proof: { by: 'password', ...password } });
    await byPassword.start();
    expect(byPassword.state.connection).toBe('online');
    await byPassword.stop();
    await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate' });
    const { cert, key } = await issuedPair(server, 'device:demo/pump/pump-7');
    const byCertificate = simulated({ proof: { by: 'certificate', cert, key } });
    await byCertificate.start();
    expect(byCertificate.state.connection).toBe('online');
  });

  it('is refused with a wrong token, and shows that it is', async () => {
    const device = simulated({ proof: { by: 'token', token: 'a-wrong-token' } });
    await expect(device.start()).rejects.toMatchObject({ code: 'connection_refused' });
    expect(device.state.connection).toBe('refused');
  });

  it('waits for its one-time code, takes another try after a wrong one, and then does what a device does', async () => {
    const type = { organisation: 'demo', id: 'pump' };
    await server.api.types.update(type, { unlock: { mode: 'one-time-code', channels: ['console'] } });
    let entered = 0;
    const device = simulated({
      enterCode: async () => {
        if (entered++ === 0) return 'no code';
        return (await server.api.unlocks.makeCode('demo', device.clientId)).code;
      },
    });
    const told: string[] = [];
    device.on((event) => {
      if (event.kind === 'unlock') told.push(event.status.status);
    });
    await device.start();
    expect(told.at(-1)).toBe('unlocked');
    expect(entered).toBe(2);
    expect(device.state).toMatchObject({
      connection: 'online',
      unlock: { status: 'unlocked' },
      sent: [{ sent: true }],
    });
  });

  it('gives up where nobody enters its code', async () => {
    const type = { organisation: 'demo', id: 'pump' };
    await server.api.types.update(type, { unlock: { mode: 'one-time-code', channels: ['console'] } });
    await expect(simulated().start()).rejects.toThrow('No one-time code was given');
  });

  it('follows what its application has signed, says why, and ignores the same command a second time', async () => {
    const { identity } = await newIdentity(server, 'application:demo/desk');
    const device = simulated({ protection: { applications: [{ application: 'desk', commands: ['+'] }] } });
    await device.start();
    const place = { host: server.host, port: server.port, ca: server.rootPem, organisation: 'demo' };
    const desk = await connectApplication({
      ...place,
      id: 'desk',
      key: server.keys.desk ?? '',
      token: server.tokens.desk ?? '',
      protection: { identity },
    });
    const plain = await connectApplication({
      ...place,
      id: 'lab',
      key: server.keys.lab ?? '',
      token: server.tokens.lab ?? '',
    });
    ends.push(
      () => desk.close(),
      () => plain.close(),
    );
    const met = () => device.state.commands.filter(({ name }) => name === 'reset').map(({ valid }) => valid);
    await desk.sendCommand({ type: 'pump', id: 'pump-7' }, 'reset', { count: 1 });
    await expect.poll(met, { timeout: 15_000 }).toEqual([true]);
    expect(device.state.commands.at(-1)?.why).toContain('signed by application:demo/desk');
    await plain.sendCommand({ type: 'pump', id: 'pump-7' }, 'reset', { count: 2 });
    await expect.poll(met, { timeout: 15_000 }).toEqual([true, false]);
    expect(await device.replay()).toBe(true);
    expect(met()).toEqual([true, false, false]);
    expect(device.state.commands.at(-1)?.why).toMatch(/replay|sequence|older|already/i);
  });
});
