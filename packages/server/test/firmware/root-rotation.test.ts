import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  draftRoot,
  generateRoleKey,
  type RoleKey,
  readRoot,
  rootMetadata,
  signBootloader,
  signDraft,
  targetsMetadata,
} from '@sallyport/trust/firmware';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BOOTLOADER_IMAGE } from '../../src/firmware/bootloader-image.ts';
import { Repository } from '../../src/firmware/repository.ts';
import { RepositoryFolder } from '../../src/firmware/repository-folder.ts';

const DAY = 86_400_000;
const settings = {
  rootValidity: 3650 * DAY,
  targetsValidity: 365 * DAY,
  snapshotValidity: 30 * DAY,
  timestampValidity: 2 * DAY,
  maximumReleases: 10,
} as never;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-rotation-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

const open = () => new Repository({ directory, organisation: 'demo', settings, now: Date.now });
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const one = (key: Pick<RoleKey, 'keyId' | 'publicKey'>) => ({ keys: [key], threshold: 1 });

/** A repository with keys elsewhere, and the next root role that exchanges every key. */
async function begun() {
  const repository = open();
  const [root, targets] = [generateRoleKey(), generateRoleKey()];
  const { snapshot, timestamp } = await repository.signing();
  const roles = { root: one(root), targets: one(targets), snapshot: one(snapshot), timestamp: one(timestamp) };
  await repository.initialise({
    root: text(rootMetadata({ version: 1, expires: Date.now() + DAY, roles, signers: [root] })),
    targets: text(targetsMetadata({ version: 1, expires: Date.now() + DAY, manifests: [], signers: [targets] })),
    bootloader: Buffer.from(signBootloader(BOOTLOADER_IMAGE, 1, [root])).toString('base64'),
  });
  const [nextRoot, nextTargets] = [generateRoleKey(), generateRoleKey()];
  const signing = await repository.signing(['snapshot', 'timestamp']);
  const draft = draftRoot({
    previous: signing.root ?? '',
    roles: {
      root: one(nextRoot),
      targets: one(nextTargets),
      snapshot: one(signing.snapshot),
      timestamp: one(signing.timestamp),
    },
    expires: Date.now() + 100 * DAY,
    targetsExpire: Date.now() + DAY,
    bootloader: signing.bootloaderStatement ?? '',
    targets: signing.targets ?? '',
  });
  const { next, bootloader, targets: list } = signDraft(draft, [root, nextRoot, nextTargets]);
  return { repository, next: { root: next, bootloader, targets: list ?? '' }, old: { snapshot, timestamp } };
}

it('exchanges every key and forgets the old ones', async () => {
  const { repository, next, old } = await begun();
  expect(await repository.replaceRoot(next)).toEqual(['root', 'targets', 'snapshot', 'timestamp']);
  const { roles } = await open().describe();
  expect(roles.map(({ role, version, signedHere }) => [role, version, signedHere])).toEqual([
    ['root', 2, false],
    ['targets', 2, false],
    ['snapshot', 2, true],
    ['timestamp', 2, true],
  ]);
  const kept = [...(await repository.folder.keys('snapshot')), ...(await repository.folder.keys('timestamp'))];
  expect(kept).toHaveLength(2);
  expect(kept.map(({ keyId }) => keyId)).not.toContain(old.timestamp.keyId);
});

it('ends a rotation that broke off at any of its writes', async () => {
  const writes = 6;
  for (let last = 1; last <= writes; last++) {
    rmSync(join(directory, 'demo'), { recursive: true, force: true });
    const { repository, next } = await begun();
    const write = RepositoryFolder.prototype.write;
    let count = 0;
    const broken = vi.spyOn(RepositoryFolder.prototype, 'write').mockImplementation(function (
      this: RepositoryFolder,
      file,
      bytes,
    ) {
      if (++count > last) throw new Error('the power went away');
      write.call(this, file, bytes);
    });
    await expect(repository.replaceRoot(next), `after ${last} writes`)[
      last < writes ? 'rejects' : 'resolves'
    ].toBeDefined();
    broken.mockRestore();
    const again = open();
    await again.renew();
    const { roles } = await again.describe();
    expect(roles.map(({ version }) => version).slice(0, 2), `after ${last} writes`).toEqual([2, 2]);
    expect(roles.every(({ role, signedHere }) => signedHere === (role === 'snapshot' || role === 'timestamp'))).toBe(
      true,
    );
    expect(again.folder.read('next-root.json')).toBeUndefined();
  }
});

it('changes nothing when it breaks off before anything was written', async () => {
  const { repository, next } = await begun();
  vi.spyOn(RepositoryFolder.prototype, 'write').mockImplementation(() => {
    throw new Error('the disk is full');
  });
  await expect(repository.replaceRoot(next)).rejects.toThrow('full');
  vi.restoreAllMocks();
  const again = open();
  await again.renew();
  expect((await again.describe()).roles[0]?.version).toBe(1);
  expect(readRoot(again.folder.read('1.root.json') ?? Buffer.alloc(0))).toMatchObject({ ok: true });
});
