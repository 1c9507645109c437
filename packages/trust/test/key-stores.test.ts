import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../tests/programs.ts';
import { createIntermediateAuthority, createRootAuthority } from '../src/certificate-authority.ts';
import { decryptKeyPem, encryptKeyPem } from '../src/encrypted-key.ts';
import { issueClientCertificate } from '../src/issue.ts';
import { generateKeyPair, keyPairToPem } from '../src/key-pair.ts';
import { pkcs12Of } from '../src/pkcs12.ts';

const PASSWORD = 'wéll kept 12';
let keyPem: string;
let chainPem: string;
let pfx: Uint8Array;

beforeAll(async () => {
  const now = Date.now();
  const root = await createRootAuthority({ commonName: 'Root', now, validity: 3_600_000 });
  const authority = await createIntermediateAuthority({
    authority: root,
    commonName: 'Middle',
    now,
    validity: 3_600_000,
  });
  const keys = await generateKeyPair();
  keyPem = await keyPairToPem(keys);
  ({ chainPem } = await issueClientCertificate({ authority, publicKey: keys.publicKey, commonName: 'd:a:b', now }));
  pfx = await pkcs12Of({ keyPem, chainPem, password: PASSWORD, name: 'pump-7' });
});

const same = (a: string, b: string) => createPrivateKey(a).equals(createPrivateKey(b));

describe('an encrypted key', () => {
  it('comes back with its passphrase, and with no other', async () => {
    const encrypted = await encryptKeyPem(keyPem, PASSWORD);
    expect(encrypted).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(same(decryptKeyPem(encrypted, PASSWORD), keyPem)).toBe(true);
    expect(() => decryptKeyPem(encrypted, 'wrong')).toThrow('cannot be decrypted');
    expect(() => decryptKeyPem('nothing', PASSWORD)).toThrow('cannot be decrypted');
  });
});

describe('a PKCS#12 file', () => {
  it('is read by the TLS of Node, and only with its password', () => {
    expect(() => createSecureContext({ pfx: Buffer.from(pfx), passphrase: PASSWORD })).not.toThrow();
    expect(() => createSecureContext({ pfx: Buffer.from(pfx), passphrase: 'other' })).toThrow('mac verify failure');
  });
});

describeWith(['openssl'], 'openssl', ({ openssl = '' }) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-pkcs12-'));
    writeFileSync(join(folder, 'a.p12'), pfx);
    writeFileSync(join(folder, 'pass'), `${PASSWORD}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...args: string[]) => execFileSync(openssl, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });

  it('reads key, certificate and authority of a PKCS#12 file', () => {
    const text = run('pkcs12', '-in', 'a.p12', '-passin', 'file:pass', '-nodes');
    expect(text).toContain('friendlyName: pump-7');
    expect(text.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const found = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/.exec(text)?.[0] ?? '';
    expect(same(found, keyPem)).toBe(true);
  });

  it('reads an encrypted key', async () => {
    writeFileSync(join(folder, 'key.pem'), await encryptKeyPem(keyPem, PASSWORD));
    expect(same(run('pkey', '-in', 'key.pem', '-passin', 'file:pass'), keyPem)).toBe(true);
  });
});
