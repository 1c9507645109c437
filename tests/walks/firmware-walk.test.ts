import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FirmwareSource, Flash, httpsSource, makeDevice } from '@sallyport/device/firmware';
import { SimulatedDevice, type SimulatedEvent } from '@sallyport/device/simulator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
let folder: string;
const devices: SimulatedDevice[] = [];
beforeEach(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-walk-'));
  await server.api.firmware.initialise('demo');
});
afterEach(async () => {
  await Promise.all(devices.splice(0).map((device) => device.stop()));
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function bytesAt(source: FirmwareSource, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await source.read(path, 0)) ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Makes a device as a factory would, with what the server hands out. */
async function makeSimulated(id: string, over: 'https' | 'mqtt' = 'https') {
  const token = server.tokens[id] ?? '';
  const name = { organisation: 'demo', type: 'pump', id };
  const source = httpsSource({ host: 'localhost', port: server.httpPort, ca: server.rootPem, ...name, token });
  const flash = new Flash(join(folder, id));
  makeDevice(flash, {
    configuration: name,
    root: (await bytesAt(source, 'metadata/1.root.json')).toString('utf8'),
    bootloader: {
      image: await bytesAt(source, 'metadata/bootloader.bin'),
      statement: await bytesAt(source, 'metadata/bootloader.json'),
    },
  });
  const events: SimulatedEvent[] = [];
  const device = new SimulatedDevice({
    ...name,
    server: { host: 'localhost', port: server.port, ca: server.rootPem },
    proof: { by: 'token', token },
    flash,
    ...(over === 'https' ? { source } : {}),
    every: 60_000,
    now: Date.now,
    random: Math.random,
  });
  device.on((event) => events.push(event));
  devices.push(device);
  return { device, flash, events };
}

const runs = (device: SimulatedDevice) => device.state.boot?.version;

describe.each(['https', 'mqtt'] as const)('a device that gets its firmware over %s', { timeout: 120_000 }, (over) => {
  it('is helped out of the factory, and brought to the next version by a rollout', async () => {
    await released(server, someImage(150_000), { version: '1.0.0' });
    const { device, events } = await makeSimulated('pump-7', over);
    await device.start();
    expect(runs(device)).toBe('1.0.0');
    const boots = events.flatMap((event) => (event.kind === 'booted' ? [event.report.outcome] : []));
    expect(boots).toEqual(['stopped', 'booted']);

    await released(server, someImage(150_000), { version: '1.1.0' });
    const { id } = await server.api.rollouts.start('demo', { type: 'pump', version: '1.1.0' });
    await expect.poll(() => runs(device), { timeout: 30_000 }).toBe('1.1.0');
    await expect
      .poll(async () => (await server.api.rollouts.get('demo', id)).devices.succeeded, { timeout: 30_000 })
      .toBe(1);
    const phases = new Set(events.flatMap((event) => (event.kind === 'firmware' ? [event.progress.phase] : [])));
    expect(phases).toEqual(new Set(['downloading', 'downloaded', 'installed', 'on-trial', 'confirmed', 'offered']));
  });
});

describe('a rollout', { timeout: 120_000 }, () => {
  it('waits for devices that are away, and goes to them when they connect', async () => {
    await released(server, someImage(), { version: '1.0.0' });
    const first = await makeSimulated('pump-7');
    await first.device.start();
    await first.device.stop();
    await released(server, someImage(), { version: '1.1.0' });
    const { id, devices: waiting } = await server.api.rollouts.start('demo', { type: 'pump', version: '1.1.0' });
    expect(waiting.waiting).toBe(2);
    await first.device.start();
    await expect.poll(() => runs(first.device), { timeout: 30_000 }).toBe('1.1.0');
    const second = await makeSimulated('pump-8');
    await second.device.start();
    await expect
      .poll(async () => (await server.api.rollouts.get('demo', id)).state, { timeout: 30_000 })
      .toBe('finished');
  });

  it('is halted by devices that roll back, which tell why, and can be given up', async () => {
    await released(server, someImage(), { version: '1.0.0' });
    const { device, events } = await makeSimulated('pump-7');
    await device.start();
    await server.server.registry.devices.remove({ organisation: 'demo', type: 'pump', id: 'pump-8', by: 'system' });
    const sick = Buffer.concat([Buffer.from('#!unhealthy\n'), someImage(1_000)]);
    await released(server, sick, { version: '1.1.0' });
    const { id } = await server.api.rollouts.start('demo', { type: 'pump', version: '1.1.0' });
    await expect
      .poll(async () => (await server.api.rollouts.get('demo', id)).state, { timeout: 60_000 })
      .toBe('halted');
    await expect.poll(() => runs(device), { timeout: 30_000 }).toBe('1.0.0');
    const { cause, devices: counts } = await server.api.rollouts.get('demo', id);
    expect([cause, counts.failed]).toEqual(['1 of 1 devices failed', 1]);
    const { items } = await server.api.rollouts.devices('demo', id);
    expect(items[0]).toMatchObject({ device: 'pump-7', state: 'failed' });
    expect(items[0]?.detail).toContain('health_check_failed');
    expect(events.some((event) => event.kind === 'firmware' && event.progress.phase === 'unhealthy')).toBe(true);
    const audit = await server.api.audit({ type: 'firmware.boot' });
    expect(audit.items[0]).toMatchObject({
      principal: 'device:demo/pump/pump-7',
      details: { outcome: 'rolled-back', stage: 'image', reason: 'health_check_failed' },
    });
    expect((await server.api.rollouts.abort('demo', id)).state).toBe('aborted');
    await expect(server.api.rollouts.resume('demo', id)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('takes a share that follows from the ids, grows with it, and is the only one of its type', async () => {
    const { registry } = server.server;
    for (let index = 0; index < 60; index++) {
      await registry.devices.create({ organisation: 'demo', type: 'pump', id: `p-${index}`, by: 'system' });
    }
    await released(server, someImage(100), { version: '1.0.0' });
    const small = await server.api.rollouts.start('demo', { type: 'pump', version: '1.0.0', percent: 30 });
    expect(small.devices.waiting).toBeGreaterThan(5);
    expect(small.devices.waiting).toBeLessThan(40);
    const names = async () => (await server.api.rollouts.devices('demo', small.id)).items.map((row) => row.device);
    const few = await names();
    await expect(server.api.rollouts.start('demo', { type: 'pump', version: '1.0.0' })).rejects.toMatchObject({
      code: 'in_use',
    });
    await server.api.rollouts.halt('demo', small.id);
    const large = await server.api.rollouts.resume('demo', small.id, 100);
    expect(large.devices.waiting).toBe(62);
    expect(await names()).toEqual(expect.arrayContaining([...few]));
    await expect(server.api.rollouts.resume('demo', small.id, 50)).rejects.toThrow('can only grow');
  });
});

it('tells at the next connection what stopped the start, and goes on in the other slot', {
  timeout: 120_000,
}, async () => {
  await released(server, someImage(2_000), { version: '1.0.0' });
  const { device } = await makeSimulated('pump-7');
  await device.start();
  await released(server, someImage(2_000), { version: '1.1.0', minimumSequence: 1 });
  await device.update();
  expect(runs(device)).toBe('1.1.0');
  await device.stop();
  const slot = device.state.boot?.slot ?? 'a';
  const image = join(folder, 'pump-7', 'slots', slot, 'image.bin');
  const bytes = readFileSync(image);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(image, bytes);
  await device.start();
  expect(device.state.boot).toMatchObject({ outcome: 'rolled-back', version: '1.0.0', reason: 'digest_differs' });
  await expect
    .poll(async () => (await server.api.audit({ type: 'firmware.boot' })).items.map((row) => row.details?.reason), {
      timeout: 10_000,
    })
    .toContain('digest_differs');
});
