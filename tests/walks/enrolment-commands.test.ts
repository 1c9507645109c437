import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownAuthority } from '../certificate-clients.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

const PASSPHRASE = 'five random words are long';

describeWith(['openssl'], 'the commands of enrolment', ({ openssl = '' }) => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await testServer();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-commands-'));
    writeFileSync(join(folder, 'secret'), `${PASSPHRASE}\n`);
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const at = (name: string) => join(folder, name);
  const run = async (...args: string[]) => {
    const program = new RunningProgram(process.execPath, [
      SALLYPORT,
      ...args,
      '--data-dir',
      server.directory,
      '--json',
    ]);
    return { exitCode: await program.exited, out: program.out, err: program.err };
  };

  it('take the root key offline, and bring it back under the running server', { timeout: 120_000 }, async () => {
    const key = join(server.directory, 'pki', 'root-key.pem');
    const secret = ['--passphrase-file', at('secret')];
    const exported = await run('ca', 'root', 'export', at('root.enc.pem'), ...secret);
    expect(exported.exitCode, exported.err).toBe(0);
    expect((statSync(at('root.enc.pem')).mode & 0o777).toString(8)).toBe('600');
    const unsure = await run('ca', 'root', 'remove-key', at('root.enc.pem'), ...secret);
    expect(unsure).toMatchObject({ exitCode: 2, err: expect.stringContaining('cannot issue its first certificate') });
    expect(existsSync(key)).toBe(true);
    expect((await run('ca', 'root', 'remove-key', at('root.enc.pem'), ...secret, '--yes')).exitCode).toBe(0);
    expect(existsSync(key)).toBe(false);
    expect((await run('ca', 'root', 'restore-key', at('root.enc.pem'), ...secret)).exitCode).toBe(0);
    expect(existsSync(key)).toBe(true);
  });

  it('give out a code once, a claim, and a PKCS#12 file that openssl reads', { timeout: 120_000 }, async () => {
    const code = await run('device', 'enrolment-code', 'pump/pump-7', '--expires-in', '1h', '--org', 'demo');
    expect(code.exitCode, code.err).toBe(0);
    expect(JSON.parse(code.out)).toMatchObject({
      user: 'pump/pump-7',
      code: expect.stringMatching(/^(\w{5}-){3}\w{5}$/),
    });
    expect((await run('device', 'enrolment-code', 'pump/pump-7', '--revoke', '--org', 'demo')).exitCode).toBe(0);

    const claim = await run(
      'certificate',
      'issue',
      '--claim',
      'pump',
      '--max',
      '5',
      '--new',
      '--out',
      at('c'),
      '--org',
      'demo',
    );
    expect(claim.exitCode, claim.err).toBe(0);
    expect(JSON.parse(claim.out)).toMatchObject({ kind: 'claim', type: 'pump', maximum: 5 });

    const file = ['--new', '--pkcs12', at('p.p12'), '--password-file', at('secret')];
    const made = await run('certificate', 'issue', 'pump/pump-7', ...file, '--org', 'demo');
    expect(made.exitCode, made.err).toBe(0);
    expect((statSync(at('p.p12')).mode & 0o777).toString(8)).toBe('600');
    const args = ['pkcs12', '-in', at('p.p12'), '-passin', `file:${at('secret')}`, '-nodes'];
    const text = execFileSync(openssl, args, { encoding: 'utf8', stdio: 'pipe' });
    expect(text).toContain('d:pump:pump-7');
    expect(text).toContain('BEGIN PRIVATE KEY');
  });

  it('set what an authority may register, and list who waits', { timeout: 120_000 }, async () => {
    const { id } = await server.api.authorities.add('demo', (await ownAuthority()).pem);
    const set = await run('ca', 'set', id, '--registration', 'review', '--org', 'demo');
    expect(JSON.parse(set.out)).toMatchObject({ registration: 'review' });
    expect((await run('ca', 'set', id, '--org', 'demo')).exitCode).toBe(2);
    expect(await run('device', 'pending', 'list', '--org', 'demo')).toMatchObject({ exitCode: 0, out: '[]\n' });
    expect((await run('device', 'pending', 'approve', 'pump/none', '--org', 'demo')).exitCode).toBe(1);
  });
});
