import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, LABORATORY, RawClient } from './raw-client.ts';

const PATIENCE = { timeout: 30_000 };

let server: TestServer;
afterEach(() => server.close());

async function start(overrides: Readonly<Record<string, unknown>>): Promise<void> {
  server = await testServer({ workers: 2, 'limits.boundLoopback': true, ...overrides });
}

/** How many of so many connections get through their handshake. */
async function dials(count: number): Promise<RawClient[]> {
  const tried = await Promise.allSettled(Array.from({ length: count }, () => RawClient.dial(server)));
  return tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

describe('with two workers', { timeout: 120_000 }, () => {
  it('a stranger has no more connections than with one, and gets them back when they end', async () => {
    await start({ 'listeners.mqttTls.maximumConnections': 5 });
    const first = await dials(12);
    expect(first.length).toBeLessThanOrEqual(5);
    await Promise.all(first.map((client) => client.vanish()));
    await expect
      .poll(
        async () => (await RawClient.login(server, identity(server, 'desk')).catch(() => ({ code: -1 }))).code,
        PATIENCE,
      )
      .toBe(0);
  });

  it('a stranger comes no faster than with one', async () => {
    await start({ 'limits.maximumConnectRatePerAddress': 1 });
    expect((await dials(20)).length).toBeLessThanOrEqual(6);
    expect((await server.api.refusals({ limit: 1 })).items[0]).toMatchObject({ reason: 'connection_limit' });
  });

  it('silent connections are bounded in sum, and end at their deadline', async () => {
    await start({ 'listeners.mqttTls.maximumHandshakes': 6, 'listeners.mqttTls.handshakeTimeout': '1s' });
    const sockets: Socket[] = [];
    let open = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connectTcp({ host: '127.0.0.1', port: server.port });
        socket.on('error', () => {});
        sockets.push(socket);
        await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
        open++;
        socket.once('close', () => open--);
      }),
    );
    await expect.poll(() => open, PATIENCE).toBeLessThanOrEqual(6);
    expect((await server.api.refusals({ limit: 50 })).items.map(({ reason }) => reason)).toContain(
      'too_many_handshakes',
    );
    await expect.poll(() => open, PATIENCE).toBe(0);
    for (const socket of sockets) socket.destroy();
    expect((await RawClient.login(server, identity(server, 'desk'))).code).toBe(0);
  });

  it('who guesses is blocked on every worker', async () => {
    await start({ 'limits.maximumConnectRatePerAddress': 1000 });
    const wrong = { ...identity(server, 'pump-7'), password: Buffer.from('wrong-wrong-wrong-1') };
    const reasons = async () => (await server.api.refusals({ limit: 50 })).items.map(({ reason }) => reason);
    for (let round = 0; round < 40 && !(await reasons()).includes('too_many_attempts'); round++) {
      await RawClient.login(server, wrong).catch(() => undefined);
    }
    expect(await reasons()).toContain('too_many_attempts');
    // The right secret neither, wherever it is tried: the address is not heard for this device.
    for (let round = 0; round < 4; round++) {
      const entered = await RawClient.login(server, identity(server, 'pump-7')).catch(() => undefined);
      expect(entered?.code).not.toBe(0);
    }
  });

  it('a principal has no more sessions than it may have with one', async () => {
    await start({ 'limits.applications.maximumSessions': 4 });
    await server.api.policies.put('demo', LABORATORY);
    const codes: number[] = [];
    for (let round = 0; round < 8; round++) {
      const { code } = await RawClient.login(server, { ...identity(server, 'lab'), clientId: `lab-${round}` });
      codes.push(code);
    }
    expect(codes).toEqual([0, 0, 0, 0, 0x97, 0x97, 0x97, 0x97]);
  });
});
