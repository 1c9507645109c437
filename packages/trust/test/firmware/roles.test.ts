import { describe, expect, it } from 'vitest';
import {
  bootloaderProblem,
  FIRMWARE_ROLES,
  type FirmwareManifest,
  generateRoleKey,
  nextRoot,
  openRoleKey,
  parseManifest,
  type RoleKey,
  readRoot,
  readTargets,
  rootMetadata,
  sealRoleKey,
  signBootloader,
  targetsMetadata,
} from '../../src/firmware.ts';

const NOON = Date.UTC(2026, 0, 31, 12);
const DAY = 86_400_000;
const manifest: FirmwareManifest = {
  type: 'pump',
  version: '1.2.0',
  digest: 'a'.repeat(64),
  size: 10,
  sequence: 2,
  minimumSequence: 1,
};

function roles(keys: Partial<Record<string, RoleKey[]>> = {}, threshold = 1) {
  const made = Object.fromEntries(FIRMWARE_ROLES.map((role) => [role, keys[role] ?? [generateRoleKey()]]));
  const holders = Object.fromEntries(FIRMWARE_ROLES.map((role) => [role, { keys: made[role] ?? [], threshold }]));
  return { made, holders: holders as never };
}

function rootWith(targets: RoleKey[], threshold: number) {
  const { made, holders } = roles({ targets });
  const bytes = rootMetadata({
    version: 1,
    expires: NOON + DAY,
    signers: made.root ?? [],
    roles: { ...(holders as object), targets: { keys: targets, threshold } } as never,
  });
  const read = readRoot(bytes);
  if (!read.ok) throw new Error(read.text);
  return read.value;
}

describe('a targets role', () => {
  it('is believed with its manifests when the threshold of its keys has signed it', () => {
    const keys = [generateRoleKey(), generateRoleKey()];
    const root = rootWith(keys, 2);
    const bytes = targetsMetadata({ version: 3, expires: NOON + DAY, signers: keys, manifests: [manifest] });
    expect(readTargets(root, bytes, NOON)).toMatchObject({ ok: true, value: { version: 3, manifests: [manifest] } });
  });

  it('is not believed with fewer keys than the threshold, however often one of them signs', () => {
    const keys = [generateRoleKey(), generateRoleKey()];
    const [first] = keys as [RoleKey, RoleKey];
    const root = rootWith(keys, 2);
    const bytes = targetsMetadata({ version: 3, expires: NOON + DAY, signers: [first, first], manifests: [manifest] });
    expect(readTargets(root, bytes, NOON)).toMatchObject({ ok: false, problem: 'under_signed' });
  });

  it('is not believed by a stranger, changed, expired, or in place of another role', () => {
    const key = generateRoleKey();
    const root = rootWith([key], 1);
    const issue = { version: 3, expires: NOON + DAY, manifests: [manifest] };
    const stranger = targetsMetadata({ ...issue, signers: [generateRoleKey()] });
    const good = targetsMetadata({ ...issue, signers: [key] });
    const changed = Buffer.from(Buffer.from(good).toString('utf8').replace('1.2.0.bin', '1.2.1.bin'));
    expect(readTargets(root, stranger, NOON)).toMatchObject({ ok: false, problem: 'under_signed' });
    expect(readTargets(root, changed, NOON)).toMatchObject({ ok: false, problem: 'under_signed' });
    expect(readTargets(root, good, NOON + DAY)).toMatchObject({ ok: false, problem: 'expired' });
    expect(readTargets(root, root.bytes, NOON)).toMatchObject({ ok: false, problem: 'wrong_role' });
    expect(readTargets(root, Buffer.from('{'), NOON)).toMatchObject({ ok: false, problem: 'malformed' });
  });
});

describe('a new root role', () => {
  it('needs the old keys and its own, and is the next version', () => {
    const first = roles();
    const second = roles();
    const before = readRoot(
      rootMetadata({ version: 1, expires: NOON + DAY, roles: first.holders, signers: first.made.root ?? [] }),
    );
    if (!before.ok) throw new Error(before.text);
    const both = [...(first.made.root ?? []), ...(second.made.root ?? [])];
    const make = (version: number, signers: RoleKey[]) =>
      rootMetadata({ version, expires: NOON + DAY, roles: second.holders, signers });
    expect(nextRoot(before.value, make(2, both))).toMatchObject({ ok: true, value: { version: 2 } });
    expect(nextRoot(before.value, make(3, both))).toMatchObject({ ok: false, problem: 'too_old' });
    expect(nextRoot(before.value, make(2, second.made.root ?? []))).toMatchObject({
      ok: false,
      problem: 'under_signed',
    });
  });
});

describe('a manifest', () => {
  it.each([
    ['a key that nobody knows', { ...manifest, extra: 1 }],
    ['a path in its version', { ...manifest, version: '../1' }],
    ['no image', { ...manifest, size: 0 }],
    ['a sequence that is no whole number', { ...manifest, sequence: 1.5 }],
    ['a minimum above itself', { ...manifest, minimumSequence: 3 }],
    ['a digest of another form', { ...manifest, digest: 'A'.repeat(64) }],
  ])('is refused with %s', (_, value) => {
    expect(parseManifest(value).ok).toBe(false);
  });
});

describe('a key that is kept off the server', () => {
  it('opens with its passphrase and for its role only', async () => {
    const key = generateRoleKey();
    const file = await sealRoleKey('root', key, 'a long passphrase');
    expect(file).not.toContain('PRIVATE KEY');
    expect((await openRoleKey('root', file, 'a long passphrase')).keyId).toBe(key.keyId);
    await expect(openRoleKey('root', file, 'a wrong passphrase')).rejects.toThrow('does not open');
    await expect(openRoleKey('targets', file, 'a long passphrase')).rejects.toThrow('for the role root');
    const renamed = file.replace('"root"', '"targets"');
    await expect(openRoleKey('targets', renamed, 'a long passphrase')).rejects.toThrow('does not open');
    await expect(sealRoleKey('root', key, 'short')).rejects.toThrow('less than 12');
  });
});

describe('a bootloader', () => {
  it('is taken when enough root keys signed it, and not when a byte of it differs', () => {
    const keys = [generateRoleKey(), generateRoleKey()];
    const image = Buffer.from('bootloader');
    const statement = signBootloader(image, 1, keys);
    expect(bootloaderProblem({ keys, threshold: 2 }, statement, image)).toBeUndefined();
    expect(bootloaderProblem({ keys, threshold: 2 }, statement, Buffer.from('bootloadeR'))?.reason).toBe(
      'digest_differs',
    );
    const once = signBootloader(image, 1, keys.slice(0, 1));
    expect(bootloaderProblem({ keys, threshold: 2 }, once, image)?.reason).toBe('under_signed');
    expect(bootloaderProblem({ keys, threshold: 2 }, Buffer.from('x'), image)?.reason).toBe('malformed');
  });
});
