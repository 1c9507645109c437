import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient, VERSIONS } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';

const EVENT = 'iot-2/evt/status/fmt/json';
const FULL_EVENT = 'iot-2/type/pump/id/pump-7/evt/status/fmt/json';
const ANOTHER = 'iot-2/type/pump/id/pump-8/evt/status/fmt/json';
const PUMP = 'device:demo/pump/pump-7';
const NOTHING: readonly string[] = [];

let server: TestServer;
const start = async (more: Readonly<Record<string, unknown>> = {}) => {
  server = await testServer(more);
};
afterEach(() => server.close());

async function nameAnother(client: RawClient, times = 6): Promise<void> {
  for (let count = 0; count < times; count++) {
    await client.subscribe(ANOTHER.replace('fmt/json', `fmt/${count}`));
    if (client.closed) return;
  }
}
const incidents = async () => (await server.api.incidents.list()).items;
const suspicion = async (rule: string) => {
  await expect.poll(async () => (await incidents()).map((one) => one.rule)).toContain(rule);
  const found = (await incidents()).find((one) => one.rule === rule);
  if (!found) throw new Error(`no incident of ${rule}`);
  return found;
};

describe('a device that names others again and again', () => {
  it('gives rise to one incident, and in a dry run nothing is done', async () => {
    await start();
    const pump = await RawClient.open(server, 'pump-7');
    await nameAnother(pump, 9);
    const found = await suspicion('names-another');
    expect(found).toMatchObject({ subject: PUMP, organisation: 'demo', state: 'open' });
    expect((await incidents()).filter(({ rule }) => rule === 'names-another')).toHaveLength(1);
    const shown = await server.api.incidents.get(found.id);
    expect(shown.timeline[0]).toMatchObject({
      text: expect.stringContaining('named another device'),
      ticket: expect.stringMatching(/^[A-Z0-9]{6}$/),
    });
    expect(shown.timeline.map(({ text }) => text)).toContainEqual('Dry run: it would have been contained: quarantine.');
    pump.publish(EVENT, 'still', { qos: 1 });
    expect((await pump.take('puback')).reasonCode).toBe(0x10);
  });

  it('is put in quarantine where the server may act, and gets everything back when it is released', async () => {
    await start({ 'incidents.act': true });
    const pump = await RawClient.open(server, 'pump-7');
    await nameAnother(pump);
    const found = await suspicion('names-another');
    await expect.poll(async () => (await server.api.incidents.get(found.id)).containment).toBe('quarantine');
    expect((await server.api.incidents.release(found.id)).state).toBe('open');
    await expect
      .poll(async () =>
        (await server.api.audit({ type: 'incident.*', order: 'oldest' })).items.map(({ type, by }) => [type, by]),
      )
      .toEqual([
        ['incident.opened', 'system'],
        ['incident.contained', 'system'],
        ['incident.released', 'operator:admin'],
      ]);
  });
});

describe.each(VERSIONS)('what is done about an incident holds in live sessions of version %s', (version) => {
  let id: string;
  let pump: RawClient;
  let desk: RawClient;
  let healthy: RawClient;
  beforeEach(async () => {
    await start();
    // Naming others ends the connections of Watson clients of 3.1.1: it is done before, in version 5.
    const probing = await RawClient.open(server, 'pump-7');
    await nameAnother(probing);
    await probing.vanish();
    ({ id } = await suspicion('names-another'));
    desk = await RawClient.open(server, 'desk');
    await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+', { qos: 1 });
    healthy = await RawClient.open(server, 'pump-8', {}, version);
    pump = await RawClient.open(server, 'pump-7', {}, version);
    await pump.subscribe('iot-2/cmd/+/fmt/+', { qos: 1 });
  });
  const heard = async () => {
    pump.publish(EVENT, 'event');
    await pump.settled();
    return desk.heard();
  };
  const command = async () => {
    desk.publish('iot-2/type/pump/id/pump-7/cmd/go/fmt/json', 'command');
    await desk.settled();
    return (await pump.heard()).length;
  };
  const others = async () => {
    expect(await healthy.settled()).toBe(true);
    healthy.publish(EVENT, 'healthy', { qos: 1 });
    expect((await healthy.take('puback')).reasonCode).toBe(0);
    await desk.heard();
  };

  it('read-only: nothing that it sends is passed on, and it still receives, until it is released', async () => {
    expect(await heard()).toEqual([`${FULL_EVENT} event`]);
    await server.api.incidents.contain(id, 'read-only');
    expect(await command()).toBe(1);
    await others();
    pump.publish(EVENT, 'contained', { qos: version === 5 ? 1 : 0 });
    if (version === 5) expect((await pump.take('puback')).reasonCode).toBe(0x87);
    else await pump.gone;
    expect(await desk.heard()).toEqual(NOTHING);
    const refusal = (await server.api.refusals({ limit: 1 })).items[0];
    expect(refusal).toMatchObject({ reason: 'principal_contained', principal: PUMP });
    await server.api.incidents.release(id);
    if (version === 4) pump = await RawClient.open(server, 'pump-7', {}, version);
    expect(await heard()).toEqual([`${FULL_EVENT} event`]);
  });

  it('quarantine: it keeps its own topics, and resolving gives everything back', async () => {
    await server.api.incidents.contain(id, 'quarantine');
    expect(await heard()).toEqual([`${FULL_EVENT} event`]);
    expect(await command()).toBe(1);
    await others();
    expect((await server.api.incidents.resolve(id)).state).toBe('resolved');
    await expect(server.api.incidents.contain(id, 'throttle')).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('suspend: it is closed and stays out, until it is released', async () => {
    await server.api.incidents.contain(id, 'suspend');
    await pump.gone;
    await others();
    await expect(RawClient.open(server, 'pump-7', {}, version)).rejects.toThrow('refused');
    await server.api.incidents.release(id);
    expect(await (await RawClient.open(server, 'pump-7', {}, version)).settled()).toBe(true);
  });

  it('deregister: it is gone, which cannot be taken back', async () => {
    await server.api.incidents.contain(id, 'deregister');
    await pump.gone;
    await others();
    await expect(server.api.devices.get({ organisation: 'demo', type: 'pump', id: 'pump-7' })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(server.api.incidents.release(id)).rejects.toMatchObject({ code: 'invalid_request' });
    expect((await server.api.incidents.resolve(id)).state).toBe('resolved');
  });

  it('throttle: it is read more slowly, and at its own rate again once it is released', async () => {
    await server.api.incidents.contain(id, 'throttle');
    let slowed = 0;
    server.server.events.on('session.slowed', ({ refusal }) => {
      if (refusal.principal === PUMP) slowed++;
    });
    for (let count = 0; count < 20; count++) pump.publish(EVENT, String(count));
    await expect.poll(() => slowed, { timeout: 15_000 }).toBeGreaterThan(0);
    await others();
    await server.api.incidents.release(id);
  });
});

it('what was done holds after a restart', async () => {
  await start();
  const pump = await RawClient.open(server, 'pump-7');
  await nameAnother(pump);
  const { id } = await suspicion('names-another');
  await server.api.incidents.contain(id, 'read-only');
  const { loadConfiguration, startServer } = await import('@sallyport/server');
  const { close, directory } = server;
  await server.server.close();
  const overrides = {
    dataDirectory: directory,
    'listeners.mqttTls.port': 0,
    'listeners.http.port': 0,
    'log.level': 'silent',
  };
  const again = await startServer({ configuration: loadConfiguration({ overrides }) });
  server = {
    ...server,
    server: again,
    port: again.mqttPort ?? 0,
    close: async () => {
      await again.close();
      await close();
    },
  };
  const back = await RawClient.open(server, 'pump-7');
  back.publish(EVENT, 'contained', { qos: 1 });
  expect((await back.take('puback')).reasonCode).toBe(0x87);
});
