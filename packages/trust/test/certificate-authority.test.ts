import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createCertificateRequest,
  createIntermediateAuthority,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  issueServerCertificate,
  keyPairFromPem,
  keyPairToPem,
  readCertificate,
  readCertificateRequest,
  restoreAuthority,
} from '../src/index.ts';

const NOW = Date.now();
const DAY = 24 * 60 * 60_000;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function authorities() {
  const root = await createRootAuthority({ commonName: 'Test root', now: NOW, validity: 20 * 365 * DAY });
  const intermediate = await createIntermediateAuthority({
    authority: root,
    commonName: 'Test intermediate',
    now: NOW,
    validity: 10 * 365 * DAY,
  });
  return { root, intermediate };
}

function openssl(...args: string[]): string | undefined {
  try {
    return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}
const hasOpenssl = openssl('version') !== undefined;
if (!hasOpenssl) console.warn('openssl is not on this machine: its opinion of the certificates is not asked');

describe('certificate authority', () => {
  it('gives authorities the critical extensions of authorities', async () => {
    const { root, intermediate } = await authorities();
    expect(root.certificate).toMatchObject({ isAuthority: true, keyUsages: ['keyCertSign', 'cRLSign'] });
    expect(root.certificate.pathLength).toBeUndefined();
    expect(intermediate.certificate).toMatchObject({ isAuthority: true, pathLength: 0, issuer: 'CN=Test root' });
    expect(root.intermediates).toEqual([]);
    expect(intermediate.intermediates).toEqual([intermediate.certificate.der]);
  });

  it('issues client certificates for 90 days that say what they are for', async () => {
    const { intermediate } = await authorities();
    const keys = await generateKeyPair();
    const issued = await issueClientCertificate({
      authority: intermediate,
      publicKey: keys.publicKey,
      commonName: 'd:pump:pump-7',
      uris: ['urn:sallyport:device:demo/pump/pump-7'],
      now: NOW,
    });
    const read = await readCertificate(issued.der);
    expect(read).toMatchObject({
      ok: true,
      value: {
        commonName: 'd:pump:pump-7',
        isAuthority: false,
        keyUsages: ['digitalSignature'],
        extendedKeyUsages: ['clientAuth'],
        subjectAlternativeNames: { uri: ['urn:sallyport:device:demo/pump/pump-7'] },
      },
    });
    if (!read.ok) return;
    expect(read.value.notAfter - NOW).toBeGreaterThan(89 * DAY);
    expect(read.value.notBefore).toBeLessThan(NOW);
    expect(read.value.notBefore % 1000).toBe(0);
  });

  it('never lets a certificate outlive its authority', async () => {
    const root = await createRootAuthority({ commonName: 'Short', now: NOW, validity: 5 * DAY });
    const { publicKey } = await generateKeyPair();
    const issued = await issueClientCertificate({ authority: root, publicKey, commonName: 'd:pump:p', now: NOW });
    const read = await readCertificate(issued.der);
    expect(read.ok && read.value.notAfter).toBe(root.certificate.notAfter);
  });

  it('refuses to issue when the authority is past its time', async () => {
    const root = await createRootAuthority({ commonName: 'Old', now: NOW, validity: DAY });
    const { publicKey } = await generateKeyPair();
    await expect(
      issueClientCertificate({ authority: root, publicKey, commonName: 'd:pump:p', now: NOW + 2 * DAY }),
    ).rejects.toMatchObject({ code: 'key_material_invalid' });
  });

  it('gives every certificate another serial of 16 positive bytes in minimal form', async () => {
    const { intermediate } = await authorities();
    const { publicKey } = await generateKeyPair();
    const serials = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const { der } = await issueClientCertificate({
        authority: intermediate,
        publicKey,
        commonName: 'd:pump:p',
        now: NOW,
      });
      const serial = new X509Certificate(der).serialNumber;
      expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
      serials.add(serial);
    }
    expect(serials.size).toBe(20);
  });

  it.each(['#0500', 'a"b"c', 'back\\slash', 'x,O=y', 'd:pump:ünïcode', `d:${'t'.repeat(36)}:${'i'.repeat(36)}`])(
    'keeps the name %j to the letter',
    async (commonName) => {
      const { intermediate } = await authorities();
      const keys = await generateKeyPair();
      const request = await readCertificateRequest(await createCertificateRequest({ keys, commonName }));
      expect(request).toMatchObject({ ok: true, value: { commonName } });
      const { der } = await issueClientCertificate({
        authority: intermediate,
        publicKey: keys.publicKey,
        commonName,
        now: NOW,
      });
      expect(await readCertificate(der)).toMatchObject({ ok: true, value: { commonName } });
    },
  );

  it.each(['', 'a\nb', 'x'.repeat(121)])('refuses the name %j', async (commonName) => {
    const { intermediate } = await authorities();
    const { publicKey } = await generateKeyPair();
    await expect(
      issueClientCertificate({ authority: intermediate, publicKey, commonName, now: NOW }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('is put together again from what was stored', async () => {
    const { intermediate } = await authorities();
    const keys = await keyPairFromPem(await keyPairToPem(intermediate.keys));
    const again = await restoreAuthority({ certificate: intermediate.certificate.der, keys });
    expect(again.certificate).toEqual(intermediate.certificate);
    const other = await generateKeyPair();
    await expect(restoreAuthority({ certificate: intermediate.certificate.der, keys: other })).rejects.toThrow(
      'does not belong',
    );
    const { der } = await issueClientCertificate({
      authority: again,
      publicKey: other.publicKey,
      commonName: 'd:pump:p',
      now: NOW,
    });
    await expect(restoreAuthority({ certificate: der, keys: other })).rejects.toThrow('is no authority');
  });

  it('writes private keys that other software reads', async () => {
    const pem = await keyPairToPem(await generateKeyPair());
    expect(createPrivateKey(pem).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    await expect(keyPairFromPem('nonsense')).rejects.toMatchObject({ code: 'key_material_invalid' });
    const lines = pem.split('\n');
    const damaged = [lines[0], ...lines.slice(2)].join('\n');
    await expect(keyPairFromPem(damaged)).rejects.toMatchObject({ code: 'key_material_invalid' });
  });

  it.skipIf(!hasOpenssl)('makes chains that openssl verifies', async () => {
    const { root, intermediate } = await authorities();
    const keys = await generateKeyPair();
    const server = await issueServerCertificate({
      authority: intermediate,
      publicKey: keys.publicKey,
      dnsNames: ['localhost', 'broker.example'],
      ipAddresses: ['127.0.0.1', '::1'],
      now: NOW,
    });
    const client = await issueClientCertificate({
      authority: intermediate,
      publicKey: keys.publicKey,
      commonName: `d:${'t'.repeat(36)}:${'i'.repeat(36)}`,
      now: NOW,
    });
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-openssl-'));
    folders.push(folder);
    const at = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const trust = [
      '-CAfile',
      at('root.pem', root.pem),
      '-untrusted',
      at('between.pem', intermediate.pem),
      '-x509_strict',
    ];
    const serverFile = at('server.pem', server.pem);
    expect(openssl('verify', ...trust, '-purpose', 'sslserver', '-verify_ip', '::1', serverFile)).toContain('OK');
    expect(openssl('verify', ...trust, '-verify_hostname', 'broker.example', serverFile)).toContain('OK');
    expect(openssl('verify', ...trust, '-purpose', 'sslclient', at('client.pem', client.pem))).toContain('OK');
    expect(() => openssl('verify', ...trust, '-purpose', 'sslclient', serverFile)).toThrow();
    expect(() => openssl('verify', ...trust, '-verify_hostname', 'other.example', serverFile)).toThrow();
  });
});

describe('certificate request', () => {
  it('is refused when its signature is wrong', async () => {
    const pem = await createCertificateRequest({ keys: await generateKeyPair(), commonName: 'd:pump:p' });
    const read = await readCertificateRequest(pem);
    expect(read.ok).toBe(true);
    if (!read.ok) return;
    const forged = read.value.der.slice();
    forged[forged.length - 1]! ^= 1;
    expect(await readCertificateRequest(forged)).toMatchObject({ ok: false });
    expect(await readCertificateRequest('nonsense')).toMatchObject({ ok: false });
    expect(await readCertificateRequest(new Uint8Array(70_000))).toMatchObject({ ok: false });
  });
});
