import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { boot, confirmBoot } from '../../src/boot/boot.ts';
import type { BootReport } from '../../src/boot/boot-report.ts';
import { Flash } from '../../src/boot/flash.ts';
import { readRom } from '../../src/boot/rom.ts';
import { downloadImage, findUpdate, installImage } from '../../src/firmware/update.ts';
import { DyingDisk } from '../boot/dying-disk.ts';
import { TestRepository, testDevice } from '../boot/repository.ts';

const now = () => Date.now();
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function update(flash: Flash, repository: TestRepository, running: BootReport): Promise<void> {
  const rom = readRom(flash);
  if (!rom) throw new Error('no ROM');
  const options = { flash, rom, source: repository, running, now };
  const found = await findUpdate(options);
  if (!found) return;
  await downloadImage(options, found.manifest);
  installImage(options, found);
  const next = boot({ flash, now });
  if (next.version === found.manifest.version) confirmBoot(flash, next, found.manifest);
}

it('starts a whole, signed image wherever the power fails in an update, and comes to the newest afterwards', async () => {
  const repository = new TestRepository();
  repository.add();
  const { folder, flash, remove } = testDevice(repository);
  cleanups.push(remove);
  await update(flash, repository, boot({ flash, now }));
  let before = boot({ flash, now });
  let cuts = 0;
  const versions = new Set<string>();
  // A new release each time; the power fails a little later than the time before, until an update goes through.
  for (let limit = 1; ; limit += limit % 3 === 0 ? 211 : 1) {
    if (repository.manifests.length > 3) repository.manifests.shift();
    if (before.sequence === repository.manifests.at(-1)?.sequence) {
      repository.add({ sequence: (before.sequence ?? 0) + 1 });
    }
    const disk = new DyingDisk(limit);
    const died = await update(new Flash(folder, disk), repository, before).then(
      () => false,
      (error: Error) => error.message.includes('the power failed'),
    );
    const after = boot({ flash, now });
    expect(['booted', 'rolled-back']).toContain(after.outcome);
    versions.add(String(after.version));
    if (after.trial) {
      const manifest = repository.manifests.find(({ version }) => version === after.version);
      if (manifest) confirmBoot(flash, after, manifest);
    }
    before = boot({ flash, now });
    expect(before).toMatchObject({ outcome: 'booted', trial: false });
    if (!died) break;
    cuts++;
  }
  expect(cuts).toBeGreaterThan(80);
  expect(versions.size).toBeGreaterThan(1);
  await update(flash, repository, boot({ flash, now }));
  expect(boot({ flash, now }).sequence).toBe(repository.manifests.at(-1)?.sequence);
}, 120_000);

it('survives being killed by the system in the midst of updates', async () => {
  const repository = new TestRepository();
  repository.add({ image: Buffer.alloc(400_000, 1) });
  const { folder, flash, remove } = testDevice(repository);
  cleanups.push(remove);
  await update(flash, repository, boot({ flash, now }));
  repository.add({ image: Buffer.alloc(400_000, 2) });
  const given = {
    folder,
    files: [...repository.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')]),
  };
  const program = fileURLToPath(new URL('updating-process.mjs', import.meta.url));
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, ['--conditions=none', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify(given));
    // It says a line at each step that it takes; it is killed at another one each time.
    let lines = 0;
    child.stdout.on('data', () => {
      if (++lines > round * 2) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    const report = boot({ flash, now });
    expect(['1.1.0', '1.2.0']).toContain(report.version);
    expect(report.outcome).not.toBe('stopped');
  }
}, 120_000);
