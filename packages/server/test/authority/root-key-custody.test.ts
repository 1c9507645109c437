import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Authority, openAuthority } from '../../src/authority/authority.ts';
import { exportRootKey, removeRootKey, restoreRootKey } from '../../src/authority/root-key-custody.ts';

const passphrase = 'five random words are long';
let folder: string;
let directory: string;
let authority: Authority;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-root-'));
  directory = join(folder, 'pki');
  authority = await openAuthority({ directory, dnsNames: [], now: Date.now });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the root key', () => {
  it('goes offline and comes back while the authority is open', async () => {
    const exported = await exportRootKey({ directory, passphrase });
    await removeRootKey({ directory, passphrase, exported });
    expect(existsSync(join(directory, 'root-key.pem'))).toBe(false);
    await expect(authority.issuerOf('demo')).rejects.toMatchObject({ code: 'root_key_absent' });
    await restoreRootKey({ directory, passphrase, exported });
    expect(statSync(join(directory, 'root-key.pem')).mode & 0o777).toBe(0o600);
    expect((await authority.issuerOf('demo')).certificate.isAuthority).toBe(true);
  });

  it('is not removed when the export does not open, is of another root, or is the wrong file', async () => {
    const exported = await exportRootKey({ directory, passphrase });
    const elsewhere = join(folder, 'other');
    await openAuthority({ directory: elsewhere, dnsNames: [], now: Date.now });
    const foreign = await exportRootKey({ directory: elsewhere, passphrase });
    for (const wrong of [
      { passphrase: 'not this one at all', exported },
      { passphrase, exported: foreign },
      { passphrase, exported: 'nothing' },
    ]) {
      await expect(removeRootKey({ directory, ...wrong })).rejects.toMatchObject({ code: 'key_material_invalid' });
    }
    expect(await authority.hasRootKey()).toBe(true);
  });

  it('is exported under a long passphrase only, and neither removed nor restored twice', async () => {
    await expect(exportRootKey({ directory, passphrase: 'short' })).rejects.toMatchObject({ code: 'invalid_request' });
    const exported = await exportRootKey({ directory, passphrase });
    await expect(restoreRootKey({ directory, passphrase, exported })).rejects.toMatchObject({ code: 'already_exists' });
    await removeRootKey({ directory, passphrase, exported });
    await expect(removeRootKey({ directory, passphrase, exported })).rejects.toMatchObject({ code: 'root_key_absent' });
    await expect(exportRootKey({ directory, passphrase })).rejects.toMatchObject({ code: 'root_key_absent' });
  });
});
