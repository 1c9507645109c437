import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { countersignRole, storedPathOf } from '@sallyport/trust/firmware';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadImage, findUpdate } from '../../src/firmware/update.ts';
import { TufRepository, tufClient } from './tuf-repository.ts';

let repository: TufRepository;
let client: ReturnType<typeof tufClient>;
beforeEach(() => {
  repository = new TufRepository();
  client = tufClient(repository);
});
afterEach(() => client.remove());

const now = () => Date.now();
async function download() {
  const given = { flash: client.flash, rom: client.rom, source: repository, running: { trial: false }, now };
  const found = await findUpdate(given);
  if (!found) return undefined;
  await downloadImage(given, found.manifest);
  return client.flash.read('download/image.bin');
}

function publish(): void {
  repository.publish('targets', 'snapshot', 'timestamp');
}

/** The targets role changed by hand and signed again, as a holder of the key could. */
function publishChanged(change: (targets: Record<string, Record<string, unknown>>) => void): void {
  repository.versions.targets += 1;
  repository.write('targets', (bytes) => {
    const role = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      signed: { targets: Record<string, Record<string, unknown>> };
      signatures: unknown[];
    };
    change(role.signed.targets);
    role.signatures = [];
    return Buffer.from(countersignRole('targets', JSON.stringify(role), repository.signers.targets));
  });
  repository.publish('snapshot', 'timestamp');
}

describe('an image', () => {
  it('comes as it was signed, and the roles are brought up to date before', async () => {
    const image = randomBytes(2_000);
    const manifest = repository.add(image);
    publish();
    expect(await download()).toEqual(image);
    expect(repository.requests.at(-1)).toBe(`targets/${storedPathOf(manifest)}`);
  });

  it('that changes again and again is taken as signed, and never as a repository would have it otherwise', async () => {
    for (let round = 1; round <= 11; round++) {
      const image = randomBytes(500);
      const manifest = repository.add(image);
      publish();
      if (round % 5 !== 1) continue;
      expect(await download()).toEqual(image);
      client.flash.remove('download/image.bin');
      repository.files.set(`targets/${storedPathOf(manifest)}`, randomBytes(500));
      await expect(download()).rejects.toThrow('does not have the digest');
      expect(client.flash.size('download/image.bin')).toBe(0);
    }
  });

  it('that is listed with another length, digest or name than its manifest says discredits the list', async () => {
    const manifest = repository.add(randomBytes(500));
    const path = 'pump/1.1.0.bin';
    const wrong: ((targets: Record<string, Record<string, unknown>>) => void)[] = [
      (targets) => Object.assign(targets[path] ?? {}, { length: 501 }),
      (targets) => Object.assign(targets[path] ?? {}, { hashes: { sha256: 'b'.repeat(64) } }),
      (targets) => Object.assign(targets[path] ?? {}, { hashes: { sha512: 'b'.repeat(128) } }),
      (targets) => Object.assign(targets[path] ?? {}, { custom: undefined }),
      (targets) => Object.assign(targets[path] ?? {}, { custom: { ...manifest, more: 1 } }),
      (targets) => Object.assign(targets, { 'valve/1.1.0.bin': targets[path] }),
    ];
    for (const change of wrong) {
      publishChanged(change);
      await expect(download()).rejects.toMatchObject({ code: 'firmware_rejected' });
    }
  });

  it.each(['../../escape', '/etc/passwd', 'a/../b', '..', 'a\u0000b', 'http://elsewhere/x', '%2e%2e%2fescape', 'a\\b'])(
    'whose version or type is the path %j is not asked for, and leaves no file',
    async (trick) => {
      repository.add(randomBytes(500), { version: trick });
      repository.add(randomBytes(500), { type: trick, version: '1.0.0' });
      publish();
      await expect(download()).rejects.toMatchObject({ code: 'firmware_rejected' });
      expect(repository.requests.some((path) => path.startsWith('targets/'))).toBe(false);
      const outside = readdirSync(dirname(client.flash.pathOf('rom')));
      expect(outside).not.toContain('escape');
      expect(existsSync(client.flash.pathOf('../escape'))).toBe(false);
    },
  );
});

describe('delegations', () => {
  it.each(['?', '#', '/delegated', '../delegated', 'delegated'])(
    'to a role named %s are not followed',
    async (name) => {
      repository.versions.targets += 1;
      repository.write('targets', (bytes) => {
        const role = JSON.parse(Buffer.from(bytes).toString('utf8')) as { signed: object; signatures: unknown[] };
        Object.assign(role.signed, {
          delegations: {
            keys: {},
            roles: [{ name, keyids: [], threshold: 1, terminating: false, paths: ['*'] }],
          },
        });
        role.signatures = [];
        return Buffer.from(countersignRole('targets', JSON.stringify(role), repository.signers.targets));
      });
      repository.publish('snapshot', 'timestamp');
      expect(await download()).toBeUndefined();
      expect(repository.requests.filter((path) => path.includes('delegated') || /[?#]|%/.test(path))).toEqual([]);
    },
  );
});
