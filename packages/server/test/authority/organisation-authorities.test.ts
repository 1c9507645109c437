import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificatesFromPem, generateKeyPair, issueClientCertificate, verifyChain } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuthority } from '../../src/authority/authority.ts';
import { organisationFolder, organisationOfFolder } from '../../src/authority/organisation-folder.ts';

const NOW = Date.UTC(2026, 10, 22);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-authorities-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openAuthority({ directory: join(folder, 'pki'), dnsNames: [], now: () => NOW, host: 'castle' });
const at = (...names: string[]) => join(folder, 'pki', ...names);

describe('the authorities of organisations', () => {
  it('are made once, privately, below the root, and are there again after a restart', async () => {
    const authority = await open();
    const [one, two] = await Promise.all([authority.issuerOf('demo'), authority.issuerOf('demo')]);
    expect(two).toBe(one);
    expect(one.certificate).toMatchObject({ isAuthority: true, pathLength: 0, issuer: authority.root.subject });
    expect(statSync(at('organisations')).mode & 0o777).toBe(0o700);
    for (const file of ['authority.pem', 'authority-key.pem']) {
      expect(statSync(at('organisations', 'demo', file)).mode & 0o777).toBe(0o600);
    }
    const again = await open();
    expect((await again.issuerOf('demo')).pem).toBe(one.pem);
    expect(again.issuers().map(({ organisation }) => organisation)).toEqual([undefined, 'demo']);
  });

  it('issue leaves for their own organisation, and none for authorities below them', async () => {
    const authority = await open();
    const { publicKey } = await generateKeyPair();
    const issued = await authority.issueClient({ organisation: 'demo', publicKey, commonName: 'd:pump:pump-7' });
    const chain = certificatesFromPem(issued.chainPem);
    const roots = [authority.root.der];
    expect(await verifyChain({ chain, roots, at: NOW, purpose: 'client' })).toMatchObject({ verified: true });
    const other = [(await authority.issuerOf('other')).certificate.der];
    expect(await verifyChain({ chain, roots: other, at: NOW, purpose: 'client' })).toMatchObject({ verified: false });
  });

  it('need the root key only for the first certificate of an organisation', async () => {
    const authority = await open();
    await authority.issuerOf('demo');
    renameSync(at('root-key.pem'), join(folder, 'kept'));
    expect(await authority.hasRootKey()).toBe(false);
    const { publicKey } = await generateKeyPair();
    const issue = (organisation: string) => authority.issueClient({ organisation, publicKey, commonName: 'a:desk' });
    expect((await issue('demo')).pem).toContain('BEGIN CERTIFICATE');
    await expect(issue('late')).rejects.toMatchObject({
      code: 'root_key_absent',
      message: expect.stringContaining('organisation "late"'),
      cure: expect.stringContaining('restore-key'),
    });
    renameSync(join(folder, 'kept'), at('root-key.pem'));
    expect((await issue('late')).pem).toContain('BEGIN CERTIFICATE');
  });

  it('end with their organisation: the next of that name gets another', async () => {
    const authority = await open();
    const first = await authority.issuerOf('demo');
    await authority.removeOrganisation('demo');
    expect(readdirSync(at('organisations'))).toEqual([]);
    const second = await authority.issuerOf('demo');
    expect(second.certificate.subjectNameHash).not.toBe(first.certificate.subjectNameHash);
  });

  it('name the file that is damaged or of another root', async () => {
    const authority = await open();
    await authority.issuerOf('demo');
    const file = at('organisations', 'demo', 'authority-key.pem');
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, good.slice(0, 60));
    await expect(open()).rejects.toMatchObject({
      code: 'key_material_invalid',
      message: expect.stringContaining(file),
    });
  });

  it('never outlive what was certified before: the intermediate still vouches for what it issued', async () => {
    const authority = await open();
    const [intermediate] = authority.issuers();
    if (!intermediate) throw new Error('there is no intermediate');
    const { publicKey } = await generateKeyPair();
    const old = await issueClientCertificate({ authority: intermediate, publicKey, commonName: 'd:a:b', now: NOW });
    const chain = certificatesFromPem(old.chainPem);
    const roots = [authority.root.der];
    expect(await verifyChain({ chain, roots, at: NOW, purpose: 'client' })).toMatchObject({ verified: true });
  });
});

describe('organisationFolder', () => {
  it.each(['demo', '..', '.', 'Demo', 'a.B_c', 'CON'])('stays below its folder and finds %s again', (organisation) => {
    const path = organisationFolder('/pki', organisation);
    const name = path.slice('/pki/'.length);
    expect(path).toBe(`/pki/${name}`);
    expect(name).toMatch(/^[a-z0-9_%]+$/);
    expect(organisationOfFolder(name)).toBe(organisation);
  });

  it('takes no unfinished folder for one of an organisation', () => {
    expect(organisationOfFolder('demo.a1b2c3.tmp')).toBeUndefined();
  });
});
