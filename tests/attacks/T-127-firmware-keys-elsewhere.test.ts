import {
  type FirmwareManifest,
  generateRoleKey,
  type RoleKey,
  rootMetadata,
  signBootloader,
  targetsMetadata,
} from '@sallyport/trust/firmware';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

const DAY = 86_400_000;
let server: TestServer;
beforeEach(async () => {
  server = await testServer();
});
afterEach(() => server.close());

async function rolesOf({ root, targets, threshold }: { root: RoleKey[]; targets: RoleKey; threshold: number }) {
  const signing = await server.api.firmware.signing('demo');
  const one = (key: { keyId: string; publicKey: string }) => ({ keys: [key], threshold: 1 });
  const roles = {
    root: { keys: root, threshold },
    targets: one(targets),
    snapshot: one(signing.snapshot),
    timestamp: one(signing.timestamp),
  };
  const make = (signers: RoleKey[], targetsSigner = targets) => ({
    root: text(rootMetadata({ version: 1, expires: Date.now() + DAY, roles, signers })),
    targets: text(targetsMetadata({ version: 1, expires: Date.now() + DAY, manifests: [], signers: [targetsSigner] })),
    bootloader: Buffer.from(signBootloader(Buffer.from(signing.bootloader, 'base64'), 1, signers)).toString('base64'),
  });
  return make;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

describe('a repository whose keys of root and targets are elsewhere', () => {
  it('is not made of roles that too few or the wrong keys have signed', async () => {
    const root = [generateRoleKey(), generateRoleKey()];
    const targets = generateRoleKey();
    const make = await rolesOf({ root, targets, threshold: 2 });
    await expect(server.api.firmware.initialise('demo', make(root.slice(0, 1)))).rejects.toThrow('1/2 keys');
    await expect(server.api.firmware.initialise('demo', make(root, generateRoleKey()))).rejects.toThrow('0/1 keys');
    const { roles } = await server.api.firmware.initialise('demo', make(root));
    expect(roles.map(({ role, signedHere }) => [role, signedHere])).toEqual([
      ['root', false],
      ['targets', false],
      ['snapshot', true],
      ['timestamp', true],
    ]);
  });

  it('releases only what those keys have signed, in order and with the releases that are known', async () => {
    const root = [generateRoleKey()];
    const targets = generateRoleKey();
    await server.api.firmware.initialise('demo', (await rolesOf({ root, targets, threshold: 1 }))(root));
    const image = someImage(1_000);
    const digest = digestOf(image);
    await server.api.firmware.upload('demo', { digest, size: 1_000, offset: 0, bytes: new Uint8Array(image) });
    const manifest: FirmwareManifest = {
      type: 'pump',
      version: '1.0.0',
      digest,
      size: 1_000,
      sequence: 1,
      minimumSequence: 1,
    };
    const wanted = { type: 'pump', version: '1.0.0', digest, size: 1_000 };
    const sign = (version: number, manifests: FirmwareManifest[], key = targets, expires = Date.now() + DAY) =>
      text(targetsMetadata({ version, expires, manifests, signers: [key] }));
    const attempts: [string | undefined, string][] = [
      [undefined, 'does not hold the keys'],
      [sign(2, [manifest], generateRoleKey()), '0/1 keys'],
      [sign(1, [manifest]), 'version 2 comes next'],
      [sign(2, [manifest], targets, Date.now() - 1_000), 'expired'],
      [sign(2, []), 'does not hold the known releases'],
      [sign(2, [{ ...manifest, minimumSequence: 0 }]), 'does not hold the known releases'],
    ];
    for (const [signed, problem] of attempts) {
      const given = signed === undefined ? {} : { targets: signed };
      await expect(server.api.firmware.release('demo', { ...wanted, ...given })).rejects.toThrow(problem);
    }
    await server.api.firmware.release('demo', { ...wanted, targets: sign(2, [manifest]) });
    await expect(server.api.firmware.remove('demo', manifest)).rejects.toThrow('does not hold the keys');
    const smuggled = { ...manifest, version: '9.9.9', sequence: 9, minimumSequence: 9 };
    await expect(server.api.firmware.replaceTargets('demo', sign(3, [manifest, smuggled]))).rejects.toThrow(
      'no release',
    );
    await server.api.firmware.replaceTargets('demo', sign(3, []));
    expect((await server.api.firmware.list('demo')).items).toEqual([]);
  });
});
