import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issuedPair } from '../certificate-clients.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const run = promisify(execFile);
const organisation = 'demo';
const PUMP = 'device:demo/pump/pump-7';

describeWith(['openssl', 'curl'], 'revocation, asked by openssl and curl', ({ openssl = '', curl = '' }) => {
  let server: TestServer;
  let folder: string;
  let http: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-ocsp-'));
    server = await testServer({
      'listeners.revocationHttp.enabled': true,
      'listeners.revocationHttp.port': 0,
      'revocation.publicUrl': 'http://pki.example/',
    });
    http = `http://127.0.0.1:${server.server.revocationPort}`;
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Not in this process's turn: the server answers in it. Both streams, whatever the exit code. */
  async function said(program: string, ...args: string[]): Promise<string> {
    try {
      const { stdout, stderr } = await run(program, args, { timeout: 60_000 });
      return `${stdout}${stderr}`;
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      return `${stdout}${stderr}`;
    }
  }
  const path = (name: string, content?: string): string => {
    const whole = join(folder, name);
    if (content !== undefined) writeFileSync(whole, content);
    return whole;
  };
  const shown = (file: string, ...what: string[]) =>
    spawnSync(openssl, ['x509', '-in', file, '-noout', ...what], { encoding: 'utf8' }).stdout;

  /** A new certificate in files: its own, and that of its issuer. */
  async function issued(principal = PUMP) {
    const pair = await issuedPair(server, principal);
    const [leaf = '', issuer = ''] = pair.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    return { ...pair, leaf: path(`${pair.id}.pem`, leaf), issuer: path(`${pair.id}-issuer.pem`, issuer) };
  }
  /** The URLs of a certificate lead to a name that no test can reach: the same path is asked here. */
  const here = (url: string): string => url.replace('http://pki.example', http);
  const ocsp = (leaf: string, issuer: string, ...more: string[]) =>
    said(
      openssl,
      ...['ocsp', '-issuer', issuer, '-cert', leaf, '-url', `${http}/pki/ocsp`],
      ...['-CAfile', server.rootFile, '-verify_other', issuer, ...more],
    );

  it('finds in a certificate where its list, its issuer and the responder are', async () => {
    const { leaf, issuer } = await issued();
    const text = shown(leaf, '-text');
    const list = /URI:(http\S+\.crl)/.exec(text)?.[1] ?? '';
    const authority = /CA Issuers - URI:(\S+)/.exec(text)?.[1] ?? '';
    expect(text).toContain('OCSP - URI:http://pki.example/pki/ocsp');
    await run(curl, ['-sSf', '-o', path('issuer.crt'), here(authority)]);
    expect(shown(path('issuer.crt'), '-fingerprint')).toBe(shown(issuer, '-fingerprint'));
    await run(curl, ['-sSf', '-o', path('list.crl'), here(list)]);
    const text2 = await said(
      openssl,
      'crl',
      '-inform',
      'DER',
      '-in',
      path('list.crl'),
      '-noout',
      '-CAfile',
      issuer,
      '-verify',
    );
    expect(text2).toContain('verify OK');
  });

  it('answers openssl ocsp: good, then revoked, and unknown for what was never issued', async () => {
    const { leaf, issuer, id } = await issued();
    const before = await ocsp(leaf, issuer);
    expect(before).toContain('Response verify OK');
    expect(before).toContain(`${leaf}: good`);
    expect(before).not.toContain('no nonce in response');
    await server.api.certificates.revoke(organisation, id);
    expect(await ocsp(leaf, issuer)).toContain(`${leaf}: revoked`);
    expect(await ocsp(leaf, issuer, '-no_nonce')).toContain(`${leaf}: revoked`);
    expect(await ocsp(leaf, issuer, '-serial', '0x4711')).toContain('0x4711: unknown');
  });

  it('answers GET as it answers POST, by HTTPS and without it, and lets caches keep it shortly', async () => {
    const { leaf, issuer } = await issued();
    await run(openssl, ['ocsp', '-issuer', issuer, '-cert', leaf, '-no_nonce', '-reqout', path('request.der')]);
    const { stdout } = await run(openssl, ['base64', '-A', '-in', path('request.der')]);
    for (const base of [http, `https://localhost:${server.httpPort}`]) {
      const url = `${base}/pki/ocsp/${encodeURIComponent(stdout.trim())}`;
      const { stdout: head } = await run(curl, [
        '-sSf',
        '-D',
        '-',
        '--cacert',
        server.rootFile,
        '-o',
        path('answer.der'),
        url,
      ]);
      expect(head.toLowerCase()).toContain('content-type: application/ocsp-response');
      expect(head.toLowerCase()).toMatch(/cache-control: public, max-age=\d+/);
      const read = await said(
        openssl,
        'ocsp',
        '-respin',
        path('answer.der'),
        '-issuer',
        issuer,
        '-cert',
        leaf,
        '-CAfile',
        server.rootFile,
        '-verify_other',
        issuer,
      );
      expect(read).toContain(`${leaf}: good`);
    }
  });

  it('lists what was revoked, and what belonged to a device that was removed', async () => {
    await server.api.devices.create({ organisation, type: 'pump', id: 'pump-9' });
    const revoked = await issued();
    const removed = await issued('device:demo/pump/pump-9');
    const good = await issued();
    await server.api.certificates.revoke(organisation, revoked.id);
    await server.api.devices.remove({ organisation, type: 'pump', id: 'pump-9' });
    const url = /URI:(http\S+\.crl)/.exec(shown(good.leaf, '-text'))?.[1] ?? '';
    const verify = async (leaf: string, issuer: string) => {
      await run(curl, ['-sSf', '-o', path('now.crl'), here(url)]);
      await run(openssl, ['crl', '-inform', 'DER', '-in', path('now.crl'), '-out', path('now.pem')]);
      return said(
        openssl,
        'verify',
        '-crl_check',
        '-CAfile',
        server.rootFile,
        '-untrusted',
        issuer,
        '-CRLfile',
        path('now.pem'),
        leaf,
      );
    };
    // Lists are made anew at most once in a second or so.
    await expect
      .poll(() => verify(removed.leaf, removed.issuer), { timeout: 30_000, interval: 500 })
      .toContain('certificate revoked');
    expect(await verify(revoked.leaf, revoked.issuer)).toContain('certificate revoked');
    expect(await verify(good.leaf, good.issuer)).toContain(': OK');
    expect(await ocsp(removed.leaf, removed.issuer)).toContain(`${removed.leaf}: revoked`);
  });

  it('need not send a list again to who has it', async () => {
    const { leaf } = await issued();
    const url = here(/URI:(http\S+\.crl)/.exec(shown(leaf, '-text'))?.[1] ?? '');
    const status = async (...args: string[]) =>
      (await run(curl, ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...args, url])).stdout;
    await expect
      .poll(
        async () => {
          const { headers } = await fetch(url);
          return status('-H', `if-none-match: ${headers.get('etag')}`);
        },
        { timeout: 30_000 },
      )
      .toBe('304');
    expect(await status('-I')).toBe('200');
    expect(await status('-X', 'DELETE')).toBe('405');
  });
});
