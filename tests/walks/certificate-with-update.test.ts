import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CertificateStore,
  type Disk,
  estRenewal,
  Flash,
  httpsSource,
  makeDevice,
  nodeDisk,
  readRom,
} from '@sallyport/device/firmware';
import { SimulatedDevice } from '@sallyport/device/simulator';
import { Failure } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DyingDisk } from '../../packages/device/test/boot/dying-disk.ts';
import { issuedPair, type Pair } from '../certificate-clients.ts';
import { released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

const name = { organisation: 'demo', type: 'pump', id: 'pump-7' };
const principal = 'device:demo/pump/pump-7';
let server: TestServer;
let folder: string;
let pair: Pair;
beforeAll(async () => {
  server = await testServer({ 'listeners.enrolment.enabled': true, 'listeners.enrolment.port': 0 });
  folder = mkdtempSync(join(tmpdir(), 'sallyport-renewal-'));
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate' });
  await server.api.firmware.initialise('demo');
  await released(server, someImage(3_000), { version: '1.0.0', minimumSequence: 0 });
  pair = await issuedPair(server, principal);
  await makeTemplate();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
const template = () => join(folder, 'template');
const port = () => server.server.enrolmentPort ?? 0;
const own = () => ({ cert: pair.cert, key: pair.key });

/** Makes a device that runs the only release there is. */
async function makeTemplate(): Promise<void> {
  const flash = new Flash(template());
  const source = httpsSource({ host: 'localhost', port: port(), ca: server.rootPem, ...name, certificate: own });
  const at = async (path: string) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await source.read(path, 0)) ?? []) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  makeDevice(flash, {
    configuration: name,
    root: (await at('metadata/1.root.json')).toString('utf8'),
    bootloader: { image: await at('metadata/bootloader.bin'), statement: await at('metadata/bootloader.json') },
  });
  const first = switchedOn(template());
  await first.start();
  await first.stop();
}

function switchedOn(place: string, disk: Disk = nodeDisk): SimulatedDevice {
  return new SimulatedDevice({
    ...name,
    server: { host: 'localhost', port: server.port, ca: server.rootPem },
    proof: { by: 'certificate', ...own() },
    flash: new Flash(place, disk),
    source: httpsSource({ host: 'localhost', port: port(), ca: server.rootPem, ...name, certificate: own }),
    renew: estRenewal({ host: 'localhost', port: port(), organisation: 'demo', ca: server.rootPem }),
    every: 60_000,
    now: Date.now,
    random: Math.random,
  });
}

/** Another device of that kind, and how to switch it on. */
function device() {
  const place = join(folder, String(++made));
  cpSync(template(), place, { recursive: true });
  const flash = new Flash(place);
  const rom = readRom(flash);
  if (!rom) throw new Error('no ROM');
  const certificates: string[] = [];
  const on = (disk?: Disk) => {
    const simulated = switchedOn(place, disk);
    simulated.on((event) => {
      if (event.kind === 'certificate') certificates.push(event.phase);
    });
    return simulated;
  };
  const store = () => new CertificateStore(flash, rom, own());
  return { on, certificates, store };
}

async function release(version: string, image: Buffer, renewCertificate: boolean): Promise<void> {
  const uploaded = { type: 'pump', version, minimumSequence: 0, renewCertificate };
  const digest = createHash('sha256').update(image).digest('hex');
  await server.api.firmware.upload('demo', { digest, size: image.length, offset: 0, bytes: new Uint8Array(image) });
  await server.api.firmware.release('demo', { ...uploaded, digest, size: image.length });
}

/** Resolves once the power has failed; never after `over`. */
function powerless(disk: DyingDisk, limit: number, over: AbortSignal): Promise<true> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (disk.done > limit) resolve(true);
    }, 10);
    over.addEventListener('abort', () => clearInterval(timer));
  });
}

const issued = async () => (await server.api.certificates.list('demo', { principal })).items.length;

describe('an update that renews the certificate', { timeout: 240_000 }, () => {
  it('brings a certificate that is used once the image has proven itself', async () => {
    const one = device();
    const simulated = one.on();
    await simulated.start();
    expect(simulated.state.boot?.version).toBe('1.0.0');
    await release('1.1.0', someImage(3_000), true);
    const before = await issued();
    await simulated.update();
    expect(simulated.state).toMatchObject({ connection: 'online', boot: { version: '1.1.0' } });
    expect(one.certificates).toEqual(['renewed', 'changed']);
    expect(await issued()).toBe(before + 1);
    expect(one.store().inUse.key).not.toBe(pair.key);
    await simulated.stop();
    const again = one.on();
    await again.start();
    expect(again.state.connection).toBe('online');
    await again.stop();
  });

  it('goes back to the certificate before when the server refuses the new one', async () => {
    const one = device();
    one.store().keepFor('a', '1.0.0', await issuedPair(server, 'device:demo/pump/pump-8'));
    const simulated = one.on();
    await simulated.start();
    expect(simulated.state.connection).toBe('online');
    expect(one.certificates).toEqual(['changed', 'returned']);
    expect(one.store().inUse).toEqual(own());
    await simulated.stop();
  });

  it('is not installed where the certificate cannot be had', async () => {
    const one = device();
    const simulated = new SimulatedDevice({
      ...name,
      server: { host: 'localhost', port: server.port, ca: server.rootPem },
      proof: { by: 'certificate', ...own() },
      flash: new Flash(join(folder, String(made))),
      source: httpsSource({ host: 'localhost', port: port(), ca: server.rootPem, ...name, certificate: own }),
      renew: async () => {
        throw new Failure('forbidden', 'The certificate was not renewed.');
      },
      every: 60_000,
      now: Date.now,
      random: Math.random,
    });
    await simulated.start();
    await expect(simulated.update()).rejects.toThrow('not renewed');
    await simulated.restart();
    expect(simulated.state).toMatchObject({ connection: 'online', boot: { version: '1.0.0', outcome: 'booted' } });
    expect(one.store().inUse).toEqual(own());
    await simulated.stop();
  });

  it('leaves an image and a certificate that belong together, wherever the power fails', async () => {
    let cuts = 0;
    const ends = new Set<string>();
    for (let limit = 0; ; limit += 2) {
      const one = device();
      const disk = new DyingDisk(limit, 'steps');
      const dying = one.on(disk);
      const over = new AbortController();
      const updated = dying
        .start()
        .then(() => dying.update())
        .then(
          () => disk.done > limit,
          () => true,
        );
      // A device without power cannot go on: it is taken away before it tries again.
      const died = await Promise.race([updated, powerless(disk, limit, over.signal)]);
      over.abort();
      await dying.stop();
      const after = one.on();
      await after.start();
      expect(after.state, `after ${limit} steps`).toMatchObject({ connection: 'online' });
      ends.add(`${after.state.boot?.version} ${one.store().inUse.key === pair.key ? 'old' : 'new'}`);
      await after.stop();
      if (!died) break;
      cuts++;
    }
    expect(cuts).toBeGreaterThan(12);
    expect(ends).toEqual(new Set(['1.0.0 old', '1.1.0 new']));
  });

  it('uses the certificate that a power cut before the switch left behind, and has no other one issued', async () => {
    const one = device();
    const kept = await issuedPair(server, principal);
    one.store().keepFor('b', '1.1.0', kept);
    const before = await issued();
    const simulated = one.on();
    await simulated.start();
    expect(simulated.state.boot?.version).toBe('1.0.0');
    await simulated.update();
    expect(simulated.state).toMatchObject({ connection: 'online', boot: { version: '1.1.0', trial: false } });
    expect(one.store().inUse.key).toBe(kept.key);
    expect(await issued()).toBe(before);
    await simulated.stop();
  });

  it('falls back to the old certificate with its image when that does not prove itself', async () => {
    const one = device();
    await release('1.2.0', Buffer.from('#!unhealthy'), true);
    const simulated = one.on();
    await simulated.start();
    await simulated.update();
    expect(simulated.state).toMatchObject({ connection: 'online', boot: { version: '1.0.0', outcome: 'rolled-back' } });
    expect(one.certificates).toEqual(['renewed']);
    expect(one.store().inUse).toEqual(own());
    await simulated.stop();
  });
});
