import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonOf } from '../certificate-clients.ts';
import { findProgram } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

describe('certificates for many devices at once', () => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await testServer({ 'enrolment.maximumIssueRate': 1 });
    folder = mkdtempSync(join(tmpdir(), 'sallyport-bulk-'));
    const type = { organisation: 'demo', type: 'pump' };
    for (let n = 1; n <= 12; n++) await server.api.devices.create({ ...type, id: `bulk-${n}`, withoutToken: true });
    await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate' });
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const at = (...names: string[]) => join(folder, ...names);
  const run = async (...args: string[]) => {
    const command = [SALLYPORT, 'certificate', 'issue', ...args, '--org', 'demo', '--data-dir', server.directory];
    const program = new RunningProgram(process.execPath, [...command, '--json']);
    return { exitCode: await program.exited, out: program.out, err: program.err };
  };

  it('makes a key for each here, goes past what is missing or no device, and says so', {
    timeout: 120_000,
  }, async () => {
    writeFileSync(at('ids'), '# first batch\nbulk-1\nbulk-2 # by the gate\n\nbulk-3\nbulk-3\nnobody\n../evil\n');
    const first = await run('--type', 'pump', '--devices', at('ids'), '--out', at('pumps'), '--rate', '100');
    expect(first.exitCode, first.err).toBe(1);
    const summary = JSON.parse(first.out);
    expect(summary).toMatchObject({ issued: 3, present: 0, left: 0 });
    expect(summary.failed.map(({ device }: { device: string }) => device)).toEqual(['nobody', '../evil']);
    expect(first.err).toContain('of 5');
    expect(statSync(at('pumps')).mode & 0o777).toBe(0o700);
    const files = readdirSync(at('pumps')).filter((name) => name.startsWith('bulk'));
    expect(files).toHaveLength(6);
    expect(statSync(at('pumps', 'bulk-1-key.pem')).mode & 0o777).toBe(0o600);
    const [cert, key] = ['bulk-2.pem', 'bulk-2-key.pem'].map((name) => readFileSync(at('pumps', name), 'utf8'));
    expect(new X509Certificate(cert ?? '').checkPrivateKey(createPrivateKey(key ?? ''))).toBe(true);
    expect(await reasonOf(server, { clientId: 'd:demo:pump:bulk-2', cert: cert ?? '', key: key ?? '' })).toBe(
      'admitted',
    );
  });

  it('begins nothing with a file that is no text, and says where', { timeout: 120_000 }, async () => {
    writeFileSync(at('binary'), Buffer.concat([Buffer.from('bulk-1\n\nbulk-2'), Buffer.of(0x1b, 0x5b, 0xff, 0x0a)]));
    const run1 = await run('--type', 'pump', '--devices', at('binary'), '--out', at('binary-out'));
    expect(run1.exitCode).toBe(1);
    expect(run1.err).toContain(`Line 3 of ${at('binary')} is no text`);
    expect(existsSync(at('binary-out'))).toBe(false);
  });

  it('leaves no file behind where one alone is refused, and issues nothing whose file could not be written', {
    timeout: 120_000,
  }, async () => {
    const refused = await run('pump/bulk-12', '--new', '--expires-in', '99y', '--out', at('twelve'));
    expect(refused.exitCode).toBe(1);
    expect(readdirSync(folder).filter((name) => name.startsWith('twelve'))).toEqual([]);
    writeFileSync(at('twelve.pem'), 'something else');
    writeFileSync(at('twelve.p12'), 'something else');
    writeFileSync(at('p12-password'), 'a long password');
    const secret = ['--password-file', at('p12-password')];
    for (const [args, file] of [
      [['--new', '--out', at('twelve')], 'twelve.pem'],
      [['--new', '--out', at('no', 'folder')], 'folder.pem'],
      [['--new', '--pkcs12', at('twelve.p12'), ...secret], 'twelve.p12'],
      [['--new', '--pkcs12', at('no', 'folder.p12'), ...secret], 'folder.p12'],
    ] as const) {
      const { exitCode, err } = await run('pump/bulk-12', ...args);
      expect({ exitCode, names: err.includes(file) }, err).toEqual({ exitCode: 1, names: true });
    }
    const { items } = await server.api.certificates.list('demo', { principal: 'device:demo/pump/bulk-12' });
    expect(items).toEqual([]);
    expect(readFileSync(at('twelve.pem'), 'utf8')).toBe('something else');
  });

  it('goes on where it broke off: what is there stays, and a key that was left is used', {
    timeout: 120_000,
  }, async () => {
    const before = readFileSync(at('pumps', 'bulk-1.pem'), 'utf8');
    const leftKey = readFileSync(at('pumps', 'bulk-2-key.pem'), 'utf8');
    rmSync(at('pumps', 'bulk-2.pem'));
    const again = await run('--type', 'pump', '--all', '--out', at('pumps'), '--rate', '100');
    expect(again.exitCode, again.err).toBe(0);
    // pump-7 and pump-8 are of the type too. The bound of the server is ten at once and one a second: the rest is waited for.
    expect(JSON.parse(again.out)).toMatchObject({ issued: 12, present: 2, failed: [] });
    expect(readFileSync(at('pumps', 'bulk-1.pem'), 'utf8')).toBe(before);
    expect(readFileSync(at('pumps', 'bulk-2-key.pem'), 'utf8')).toBe(leftKey);
    const renewed = new X509Certificate(readFileSync(at('pumps', 'bulk-2.pem'), 'utf8'));
    expect(renewed.checkPrivateKey(createPrivateKey(leftKey))).toBe(true);
    const { items } = await server.api.certificates.list('demo', { limit: 100 });
    expect(items).toHaveLength(15);
  });

  it('takes no file of another type or of nobody for the certificate of a device', { timeout: 120_000 }, async () => {
    mkdirSync(at('mixed'));
    writeFileSync(at('mixed', 'bulk-1.pem'), readFileSync(at('pumps', 'bulk-2.pem')));
    writeFileSync(at('mixed', 'bulk-2.pem'), 'nothing');
    writeFileSync(at('mixed', 'bulk-3-key.pem'), 'nothing');
    writeFileSync(at('mixed', 'ids'), 'bulk-1\nbulk-2\nbulk-3\n');
    const mixed = await run('--type', 'pump', '--devices', at('mixed', 'ids'), '--out', at('mixed'));
    expect(mixed.exitCode).toBe(1);
    expect(JSON.parse(mixed.out)).toMatchObject({ issued: 0, present: 0 });
    expect(JSON.parse(mixed.out).failed).toHaveLength(3);
  });

  it('writes PKCS#12 files under one password', { timeout: 120_000 }, async () => {
    writeFileSync(at('password'), 'five random words\n');
    writeFileSync(at('one'), 'bulk-1\n');
    const more = ['--devices', at('one'), '--out', at('p12'), '--password-file', at('password')];
    const made = await run('--type', 'pump', ...more);
    expect(made.exitCode, made.err).toBe(0);
    expect(readdirSync(at('p12'))).toEqual(['bulk-1.p12']);
    expect(statSync(at('p12', 'bulk-1.p12')).mode & 0o777).toBe(0o600);
    const openssl = findProgram('openssl');
    if (openssl) {
      const args = ['pkcs12', '-in', at('p12', 'bulk-1.p12'), '-passin', `file:${at('password')}`, '-nokeys'];
      expect(execFileSync(openssl, args, { encoding: 'utf8', stdio: 'pipe' })).toContain('d:pump:bulk-1');
    }
    expect(JSON.parse((await run('--type', 'pump', ...more)).out)).toMatchObject({ issued: 0, present: 1 });
  });

  it.each([
    [['--type', 'pump', '--out', 'x'], /For which devices/],
    [['--type', 'pump', '--all'], /Where to/],
    [['pump/bulk-1', '--type', 'pump', '--all', '--out', 'x'], /for many devices/],
    [['--type', 'pump', '--all', '--devices', 'f', '--out', 'x'], /cannot be used with/],
    [['--type', 'pump', '--all', '--out', 'x', '--rate', '0'], /whole number/],
    [['--type', 'pump', '--all', '--out', 'x', '--pkcs12', 'y'], /one file/],
  ])('is told how it is used: %j', { timeout: 60_000 }, async (args, problem) => {
    const told = await run(...args);
    expect(told.exitCode).toBe(2);
    expect(told.err + told.out).toMatch(problem);
  });

  it('stops when it is asked to, and says what is left', { timeout: 120_000 }, async () => {
    const command = [SALLYPORT, 'certificate', 'issue', '--type', 'pump', '--all', '--out', at('slow'), '--rate', '1'];
    const program = new RunningProgram(process.execPath, [
      ...command,
      '--org',
      'demo',
      '--data-dir',
      server.directory,
      '--json',
    ]);
    await expect.poll(() => existsSync(at('slow', 'bulk-1.pem')), { timeout: 60_000 }).toBe(true);
    expect(await program.end()).toBe(1);
    const { issued, left } = JSON.parse(program.out);
    expect(left).toBeGreaterThan(0);
    expect(issued + left).toBe(14);
  });
});
