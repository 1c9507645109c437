import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificatesFromPem, generateKeyPair, keyPairToPem, verifyChain } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuthority } from '../../src/authority/authority.ts';

const DAY = 24 * 60 * 60_000;
let folder: string;
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-authority-'));
  now = Date.UTC(2026, 10, 22);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (dnsNames: string[] = []) =>
  openAuthority({ directory: join(folder, 'pki'), dnsNames, now: () => now, host: 'castle.example' });
const at = (name: string): string => join(folder, 'pki', name);
const FILES = ['intermediate-key.pem', 'intermediate.pem', 'root-key.pem', 'root.pem', 'server-key.pem', 'server.pem'];

describe('openAuthority', () => {
  it('makes private key material at the first run and the same is there at the second', async () => {
    const first = await open();
    expect(readdirSync(join(folder, 'pki')).sort()).toEqual(FILES);
    expect(readdirSync(folder)).toEqual(['pki']);
    expect(statSync(join(folder, 'pki')).mode & 0o777).toBe(0o700);
    for (const file of FILES) expect(statSync(at(file)).mode & 0o777).toBe(0o600);
    const second = await open();
    expect(second.serverCredentials()).toEqual(first.serverCredentials());
    expect(second.rootPem).toBe(readFileSync(at('root.pem'), 'utf8'));
    expect(await second.hasRootKey()).toBe(true);
  });

  it('certifies the server for this machine and the configured names', async () => {
    const authority = await open(['broker.example', '192.0.2.7', 'not a name']);
    expect(authority.ownServerCertificate().facts.subjectAlternativeNames).toMatchObject({
      dns: ['localhost', 'castle.example', 'castle', 'broker.example'],
      ip: ['127.0.0.1', '::1', '192.0.2.7'],
    });
    const { cert, key } = authority.serverCredentials();
    expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const leaf = new X509Certificate(cert);
    expect(leaf.checkHost('broker.example')).toBe('broker.example');
    expect(leaf.checkIP('::1')).toBe('::1');
    expect(key).toContain('PRIVATE KEY');
  });

  it('renews the server certificate, and nothing else, when the names change', async () => {
    const before = await open();
    const after = await open(['other.example']);
    expect(after.rootPem).toBe(before.rootPem);
    expect(after.serverCredentials().key).toBe(before.serverCredentials().key);
    expect(after.ownServerCertificate().facts.serial).not.toBe(before.ownServerCertificate().facts.serial);
    expect(after.ownServerCertificate().facts.subjectAlternativeNames.dns).toContain('other.example');
    expect((await open(['other.example'])).ownServerCertificate().facts.serial).toBe(
      after.ownServerCertificate().facts.serial,
    );
  });

  it('renews the server certificate less than 30 days before its end, while open and at the start', async () => {
    const authority = await open();
    const first = authority.ownServerCertificate().facts;
    expect(await authority.renewServerCertificate()).toBe(false);
    now = first.notAfter - 29 * DAY;
    expect(await authority.renewServerCertificate()).toBe(true);
    const second = authority.ownServerCertificate().facts;
    expect(second.notAfter).toBeGreaterThan(first.notAfter);
    now = second.notAfter + DAY;
    expect((await open()).ownServerCertificate().facts.notAfter).toBeGreaterThan(second.notAfter);
  });

  it('makes a removed server pair anew under the same root', async () => {
    const before = await open();
    unlinkSync(at('server.pem'));
    unlinkSync(at('server-key.pem'));
    const after = await open();
    expect(after.rootPem).toBe(before.rootPem);
    expect(after.serverCredentials().key).not.toBe(before.serverCredentials().key);
    expect(new X509Certificate(after.serverCredentials().cert).checkHost('localhost')).toBe('localhost');
  });

  it('works without the root key', async () => {
    await open();
    unlinkSync(at('root-key.pem'));
    expect(await (await open()).hasRootKey()).toBe(false);
  });

  it('issues client certificates that lead to its root', async () => {
    const authority = await open();
    const { publicKey } = await generateKeyPair();
    const issued = await authority.issueClient({
      organisation: 'demo',
      publicKey,
      commonName: 'd:pump:pump-7',
    });
    const verification = await verifyChain({
      chain: certificatesFromPem(issued.chainPem),
      roots: [authority.root.der],
      at: now,
      purpose: 'client',
    });
    expect(verification).toMatchObject({ verified: true, certificate: { commonName: 'd:pump:pump-7' } });
    expect(issued.chainPem.match(/BEGIN/g)).toHaveLength(2);
  });

  it.each(['root-key.pem', 'intermediate-key.pem', 'server-key.pem'])(
    'refuses %s when others can read it',
    async (file) => {
      await open();
      chmodSync(at(file), 0o640);
      await expect(open()).rejects.toMatchObject({
        code: 'key_material_invalid',
        message: `${at(file)} is readable or writable by others (mode 640)`,
        cure: expect.stringContaining(`chmod 600 ${at(file)}`),
      });
    },
  );

  it('refuses a folder in which others can write', async () => {
    await open();
    chmodSync(join(folder, 'pki'), 0o770);
    await expect(open()).rejects.toMatchObject({ cure: expect.stringContaining('chmod 700') });
  });

  it.each(['root-key.pem', 'intermediate-key.pem', 'server-key.pem'])('refuses another key in %s', async (file) => {
    await open();
    writeFileSync(at(file), await keyPairToPem(await generateKeyPair()));
    await expect(open()).rejects.toMatchObject({
      code: 'key_material_invalid',
      message: expect.stringMatching(`${at(file)} does not belong to .*\\.pem`),
    });
  });

  it.each([
    ['root.pem', 'is damaged'],
    ['intermediate.pem', 'is damaged'],
    ['intermediate-key.pem', 'is damaged'],
    ['server.pem', 'is damaged'],
    ['server-key.pem', 'is damaged'],
    ['root-key.pem', 'is damaged'],
  ])('names %s when it is damaged', async (file, problem) => {
    await open();
    writeFileSync(at(file), readFileSync(at(file), 'utf8').slice(0, 80));
    const failure = await open().catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'key_material_invalid', message: expect.stringContaining(problem) });
    expect((failure as Error).message).toContain(at(file));
    expect((failure as Error).cause).toBeUndefined();
  });

  it.each(['root.pem', 'intermediate.pem', 'intermediate-key.pem', 'server-key.pem'])(
    'says that %s is missing',
    async (file) => {
      await open();
      unlinkSync(at(file));
      await expect(open()).rejects.toMatchObject({ message: `${at(file)} is missing` });
    },
  );

  it('refuses authorities of another family', async () => {
    await open();
    const other = await openAuthority({ directory: join(folder, 'other'), dnsNames: [], now: () => now });
    unlinkSync(at('root-key.pem'));
    writeFileSync(at('root.pem'), other.rootPem);
    await expect(open()).rejects.toThrow(`${at('intermediate.pem')} was not signed by the authority that it names`);
  });

  it('tells a wrong clock from an expired authority', async () => {
    const { root } = await open();
    now = root.notBefore - DAY;
    await expect(open()).rejects.toMatchObject({ cure: 'Check the clock of this machine.' });
    now = root.notAfter + DAY;
    await expect(open()).rejects.toMatchObject({
      message: `${at('root.pem')} has expired`,
      cure: expect.stringContaining('sallyport ca root renew'),
    });
  });

  it('gives its own authority a successor at the start when that has ended, and tells of it once', async () => {
    const first = (await open()).intermediate();
    now = first.notAfter + DAY;
    const late = await open();
    const { fingerprintSha256, notAfter } = late.intermediate();
    expect(notAfter).toBeGreaterThan(now + 5 * 365 * DAY);
    const server = late.serverCredentials();
    const chain = certificatesFromPem(server.cert);
    const verified = await verifyChain({ chain, roots: [late.root.der], at: now, purpose: 'server' });
    expect(verified).toMatchObject({ verified: true });
    expect(late.issuers().map(({ certificate }) => certificate.fingerprintSha256)).toEqual([fingerprintSha256]);
    const told = { outcome: 'succeeded', before: first, now: { fingerprintSha256 } };
    expect(await late.succeedEnding()).toMatchObject([told]);
    expect(await late.succeedEnding()).toEqual([]);
    expect((await open()).intermediate().fingerprintSha256).toBe(fingerprintSha256);
  });

  it('names the key of the root where its own authority has ended and that key is away', async () => {
    now = (await open()).intermediate().notAfter + DAY;
    unlinkSync(at('root-key.pem'));
    await expect(open()).rejects.toMatchObject({
      message: expect.stringContaining(`${at('intermediate.pem')} has expired, and ${at('root-key.pem')}`),
      cure: expect.stringContaining('sallyport ca root restore-key FILE'),
    });
  });

  it('says so when the folder cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(
      openAuthority({ directory: join(folder, 'file', 'pki'), dnsNames: [], now: () => now }),
    ).rejects.toMatchObject({ code: 'data_directory_unusable' });
  });

  it('takes an empty folder for a first run', async () => {
    mkdirSync(join(folder, 'pki'), { mode: 0o700 });
    expect(await (await open()).hasRootKey()).toBe(true);
  });
});
