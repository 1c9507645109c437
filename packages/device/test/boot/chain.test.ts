import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateRoleKey } from '@sallyport/trust/firmware';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boot, confirmBoot } from '../../src/boot/boot.ts';
import type { BootReport } from '../../src/boot/boot-report.ts';
import type { Flash } from '../../src/boot/flash.ts';
import { readRom } from '../../src/boot/rom.ts';
import { fillSlot } from '../../src/boot/slot.ts';
import { downloadImage, findUpdate, installImage } from '../../src/firmware/update.ts';
import { TestRepository, testDevice } from './repository.ts';

const DAY = 86_400_000;
let repository: TestRepository;
let folder: string;
let flash: Flash;
let remove: () => void;
beforeEach(() => {
  repository = new TestRepository();
  ({ folder, flash, remove } = testDevice(repository));
});
afterEach(() => remove());

const now = () => Date.now();
const start = (at = now) => boot({ flash, now: at });
const fault = ({ outcome, stage, reason }: BootReport) => [outcome, stage, reason];

async function update(running: BootReport, version?: string) {
  const rom = readRom(flash);
  if (!rom) throw new Error('no ROM');
  const options = { flash, rom, source: repository, running, now };
  const found = await findUpdate(options, version);
  if (!found) return undefined;
  await downloadImage(options, found.manifest);
  installImage(options, found);
  return found.manifest;
}

/** Installs the newest image and lets it prove itself. */
async function upToDate(): Promise<BootReport> {
  const manifest = await update(start());
  const report = start();
  if (manifest) confirmBoot(flash, report, manifest);
  return start();
}

function flip(file: string, at = 10): void {
  const bytes = readFileSync(join(folder, file));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(folder, file), bytes);
}

describe('the chain', () => {
  it('starts link by link, each verified by the one before', async () => {
    repository.add();
    const report = await upToDate();
    expect(report).toMatchObject({ outcome: 'booted', slot: 'a', version: '1.1.0', trial: false });
    expect(report.steps.map(({ stage, held }) => [stage, held])).toEqual([
      ['bootloader', true],
      ['image', true],
      ['configuration', true],
    ]);
  });

  it('stops where there is no image yet', () => {
    expect(fault(start())).toEqual(['stopped', 'image', 'missing']);
  });

  it.each([
    ['a byte of the bootloader', () => flip('bootloader/bootloader.bin', 2), 'bootloader', 'digest_differs'],
    ['what was signed of the bootloader', () => flip('bootloader/bootloader.json', 60), 'bootloader', 'under_signed'],
    ['a byte of the image', () => flip('slots/a/image.bin'), 'image', 'digest_differs'],
    ['the record of the image', () => flip('slots/a/record.json', 40), 'image', 'record_changed'],
    ['the counter', () => flip('rom/counter.json', 10), 'image', 'counter_changed'],
    ['the configuration', () => flip('configuration.json', 30), 'configuration', 'configuration_changed'],
  ])('stops when %s is changed, and says at which link and why', async (_, change, stage, reason) => {
    repository.add();
    await upToDate();
    change();
    expect(fault(start())).toEqual(['stopped', stage, reason]);
  });

  it.each([
    ['bootloader/bootloader.bin', 'bootloader', 'missing'],
    ['rom/counter.json', 'image', 'counter_changed'],
    ['configuration.json', 'configuration', 'missing'],
  ])('stops when %s is taken away', async (file, stage, reason) => {
    repository.add();
    await upToDate();
    rmSync(join(folder, file));
    expect(fault(start())).toEqual(['stopped', stage, reason]);
  });

  it('stops at an image that another key, or nobody in time, has signed', async () => {
    repository.add();
    await upToDate();
    expect(fault(start(() => Date.now() + 11 * DAY))).toEqual(['stopped', 'image', 'expired']);
    const rom = readRom(flash);
    const [manifest] = repository.manifests;
    if (!rom || !manifest) throw new Error('nothing is installed');
    repository.publish({ signer: generateRoleKey() });
    const forged = [...repository.files].filter(([path]) => path.endsWith('.targets.json')).at(-1)?.[1] ?? '';
    cpSync(join(folder, 'slots/a/image.bin'), join(folder, 'stolen.bin'));
    const targets = Buffer.from(forged).toString('utf8');
    fillSlot(flash, rom, { slot: 'a', manifest, roots: [], targets }, 'stolen.bin');
    expect(fault(start())).toEqual(['stopped', 'image', 'under_signed']);
  });

  it('stops at an image of another type, though it is signed', async () => {
    const image = Buffer.from('for valves');
    const manifest = repository.add({ type: 'valve', image });
    repository.add();
    await upToDate();
    const rom = readRom(flash);
    if (!rom) throw new Error('no ROM');
    writeFileSync(join(folder, 'valve.bin'), image);
    const targets = flash.readJson<{ targets: string }>('trusted-roles.json')?.targets ?? '';
    fillSlot(flash, rom, { slot: 'a', manifest, roots: [], targets }, 'valve.bin');
    expect(fault(start())).toEqual(['stopped', 'image', 'wrong_type']);
  });

  it('does not start an older image again once a newer one has proven itself', async () => {
    repository.add();
    await upToDate();
    cpSync(join(folder, 'slots'), join(folder, 'kept'), { recursive: true });
    repository.add();
    expect((await upToDate()).version).toBe('1.2.0');
    rmSync(join(folder, 'slots'), { recursive: true });
    renameSync(join(folder, 'kept'), join(folder, 'slots'));
    expect(fault(start())).toEqual(['stopped', 'image', 'version_too_old']);
  });

  it('does not start what was put into the other slot', async () => {
    repository.add();
    await upToDate();
    repository.add({ minimumSequence: 1 });
    expect((await upToDate()).slot).toBe('b');
    renameSync(join(folder, 'slots/a'), join(folder, 'slots/c'));
    renameSync(join(folder, 'slots/b'), join(folder, 'slots/a'));
    renameSync(join(folder, 'slots/c'), join(folder, 'slots/b'));
    expect(fault(start())).toEqual(['stopped', 'image', 'slot_swapped']);
  });
});

describe('an image on trial', () => {
  it('runs beside the one before until it has proven itself', async () => {
    repository.add();
    await upToDate();
    const manifest = repository.add();
    await update(start());
    const trial = start();
    expect(trial).toMatchObject({ outcome: 'booted', version: '1.2.0', trial: true });
    confirmBoot(flash, trial, manifest);
    expect(start()).toMatchObject({ outcome: 'booted', version: '1.2.0', trial: false });
  });

  it('gives way to the one before when it never proves itself, and that is told', async () => {
    repository.add();
    await upToDate();
    repository.add();
    await update(start());
    expect([start().version, start().version]).toEqual(['1.2.0', '1.2.0']);
    expect(start()).toMatchObject({
      outcome: 'rolled-back',
      version: '1.1.0',
      stage: 'image',
      reason: 'health_check_failed',
    });
    expect(start()).toMatchObject({ outcome: 'booted', version: '1.1.0' });
  });

  it('gives way at once when it does not verify', async () => {
    repository.add();
    await upToDate();
    repository.add();
    await update(start());
    flip('slots/b/image.bin');
    expect(start()).toMatchObject({ outcome: 'rolled-back', version: '1.1.0', reason: 'digest_differs' });
    expect(start()).toMatchObject({ outcome: 'booted', version: '1.1.0' });
  });

  it('does not install another one', async () => {
    repository.add();
    await upToDate();
    repository.add();
    await update(start());
    const trial = start();
    repository.add();
    await expect(update(trial)).rejects.toThrow('on trial');
  });
});
