import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FleetMember, runFleet } from '../../packages/cli/src/simulation/fleet.ts';
import { runCommand } from '../../packages/cli/test/run-command.ts';
import { type TestServer, testServer } from '../server.ts';

describe('a fleet of simulated devices', { timeout: 120_000 }, () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer();
  });
  afterAll(() => server.close());

  const run = (...args: string[]) =>
    runCommand(['simulate', 'fleet', 'demo/pump', ...args, '--data-dir', server.directory, '--json']);
  const registered = async () => (await server.api.devices.list('demo', { limit: 100 })).items;

  it('registers, comes in bit by bit, sends, sums up, and leaves nothing behind', async () => {
    const before = (await registered()).length;
    const { exitCode, out, err } = await run(
      '--devices',
      '60',
      '--ramp',
      '200',
      '--every',
      '200ms',
      '--duration',
      '2s',
    );
    expect(exitCode, err).toBe(0);
    const summary = JSON.parse(out) as Record<string, number> & { connectLatency: Record<string, number> };
    expect(summary).toMatchObject({ devices: 60, connected: 60, lost: 0, notPublished: 0, refusals: {} });
    expect(summary.published).toBeGreaterThan(60);
    expect(summary.perSecond).toBeGreaterThan(0);
    const { p50 = 0, p90 = 0, p99 = 0, max = 0 } = summary.connectLatency;
    expect(p50).toBeGreaterThan(0);
    expect([p50, p90, p99, max]).toEqual([p50, p90, p99, max].sort((a, b) => a - b));
    expect(err).toContain('60 of 60 are in');
    expect((await registered()).length).toBe(before);
  });

  it('counts those that are refused by what the server said, with a ticket, and goes on without them', async () => {
    const token = server.tokens['pump-7'] ?? '';
    const member = (id: string, given = token): FleetMember => ({
      organisation: 'demo',
      type: 'pump',
      id,
      token: given,
    });
    const summary = await runFleet({
      server: { host: server.host, port: server.port, ca: server.rootPem },
      members: [member('pump-7'), member('pump-8', 'not its token'), member('nobody')],
      ramp: 100,
      every: 200,
      duration: 1_000,
      stop: new AbortController().signal,
      say: () => {},
    });
    expect(summary).toMatchObject({ devices: 3, connected: 1 });
    expect(Object.values(summary.refusals)).toEqual([2]);
    const [ticket = ''] = Object.values(summary.tickets);
    expect((await server.api.explainTicket(ticket)).action).toBe('connect');
    expect(summary.published).toBeGreaterThan(0);
  });

  it('counts connections that break while it sends', async () => {
    const stop = new AbortController();
    const clientId = 'd:demo:pump:pump-8';
    const running = runFleet({
      server: { host: server.host, port: server.port, ca: server.rootPem },
      members: [{ organisation: 'demo', type: 'pump', id: 'pump-8', token: server.tokens['pump-8'] ?? '' }],
      ramp: 100,
      every: 100,
      duration: 60_000,
      stop: stop.signal,
      say: () => {},
    });
    const since = async () => {
      const { items } = await server.api.sessions.list('demo', { limit: 100 });
      return items.find((one) => one.clientId === clientId && one.connected)?.connectedAt;
    };
    await expect.poll(since, { timeout: 30_000 }).toBeDefined();
    const first = await since();
    await server.api.sessions.close('demo', clientId);
    const cameBack = async () => (await since()) ?? first;
    await expect.poll(cameBack, { timeout: 30_000 }).not.toBe(first);
    stop.abort();
    expect((await running).lost).toBeGreaterThan(0);
  });

  it('is not larger than a machine has ports', async () => {
    const { exitCode, err } = await run('--devices', '20001');
    expect(exitCode).toBe(2);
    expect(err).toContain('at most 20000');
  });
});
