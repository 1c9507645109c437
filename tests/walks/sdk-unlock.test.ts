import { connectApplication } from '@sallyport/application';
import { connectDevice, connectGateway, type UnlockAsked } from '@sallyport/device';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { anotherCode, CodeDesk, demandCodes } from '../unlock-devices.ts';

let server: TestServer;
let desk: CodeDesk;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  server = await testServer({ 'unlock.maximumRequests': 100 });
  await demandCodes(server);
  desk = await CodeDesk.open(server);
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.close();
});

const BACKOFF = { first: 100, longest: 200 };
const device = async (onUnlockRequired?: (asked: UnlockAsked) => string | undefined | Promise<string | undefined>) => {
  const made = await connectDevice({
    host: server.host,
    port: server.port,
    ca: server.rootFile,
    organisation: 'demo',
    type: 'pump',
    id: 'pump-7',
    token: server.tokens['pump-7'] ?? '',
    backoff: BACKOFF,
    ...(onUnlockRequired && { onUnlockRequired }),
  });
  opened.push(made);
  return made;
};
const application = async () => {
  const place = { host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' };
  const made = await connectApplication({
    ...place,
    id: 'tap',
    key: server.keys.tap ?? '',
    token: server.tokens.tap ?? '',
  });
  opened.push(made);
  return made;
};

describe('a device program whose type demands a one-time code', () => {
  it('asks the person for it, says what is left after a wrong one, and is connected with the right one', async () => {
    const asked: UnlockAsked[] = [];
    let code = '';
    const pump = await device(async (how) => {
      asked.push(how);
      if (how.problem === 'wrong') return code;
      ({ code } = await desk.next());
      return anotherCode(code);
    });
    expect(asked).toMatchObject([
      { attemptsLeft: 3, digits: 6, expiresIn: 300, by: ['application'] },
      { attemptsLeft: 2, problem: 'wrong' },
    ]);
    await pump.publishEvent('status', { up: true });
  });

  it('fails with its cure when nobody gives a code, and when every try was wrong', async () => {
    await expect(device(() => undefined)).rejects.toMatchObject({ code: 'unlock_failed' });
    await expect(
      device(async ({ problem }) => (problem === undefined ? anotherCode((await desk.next()).code) : '0')),
    ).rejects.toMatchObject({ code: 'unlock_failed', cure: expect.stringContaining('sallyport unlock list') });
  });

  it('is refused under a ticket when it has no way to ask for a code', async () => {
    const pump = await device();
    await expect(pump.publishEvent('status', {})).rejects.toMatchObject({
      code: 'publish_refused',
      ticket: expect.any(String),
    });
  });

  it('gives a code of its own after a break; its commands and what it sends meanwhile wait for it', async () => {
    let codes = 0;
    const pump = await device(async () => {
      codes++;
      return (await desk.next()).code;
    });
    const commands: unknown[] = [];
    const got = new Promise<void>((resolve) => {
      void pump.onCommand('blink', ({ payload }) => {
        commands.push(payload);
        resolve();
      });
    });
    await pump.onCommand('fence', () => {});
    const events: unknown[] = [];
    const tap = await application();
    await tap.subscribeEvents({ event: 'status' }, ({ payload }) => void events.push(payload));
    const offline = new Promise<void>((resolve) => pump.on('offline', () => resolve()));
    const online = new Promise<void>((resolve) => pump.on('online', () => resolve()));
    await server.api.sessions.close('demo', 'd:demo:pump:pump-7');
    await offline;
    const published = pump.publishEvent('status', { n: 1 });
    await online;
    await published;
    expect(codes).toBe(2);
    expect(events).toEqual([{ n: 1 }]);
    await tap.sendCommand({ type: 'pump', id: 'pump-7' }, 'blink', { times: 3 });
    await got;
    expect(commands).toEqual([{ times: 3 }]);
  });

  it('does it as a gateway too', async () => {
    await server.api.types.update(
      { organisation: 'demo', id: 'hub' },
      { unlock: { mode: 'one-time-code', channels: ['application'] } },
    );
    const hub = await connectGateway({
      host: server.host,
      port: server.port,
      ca: server.rootFile,
      organisation: 'demo',
      type: 'hub',
      id: 'hub-1',
      token: server.tokens['hub-1'] ?? '',
      onUnlockRequired: async () => (await desk.next()).code,
    });
    opened.push(hub);
    await hub.publishEvent({ type: 'pump', id: 'pump-8' }, 'status', {});
  });
});
