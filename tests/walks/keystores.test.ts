import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reasonOf } from '../certificate-clients.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { company, serverPair, shownAt } from '../server-pairs.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

const PASSWORD = 'changeit-please';
const KEY_PASSWORD = 'another-secret';
const HOST = 'mqtt.company.test';

describeWith(['keytool', 'openssl'], 'key stores of Java programs', ({ keytool = '', openssl = '' }) => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await testServer();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-stores-'));
    writeFileSync(at('password'), `${PASSWORD}\n`);
    writeFileSync(at('key-password'), `${KEY_PASSWORD}\n`);
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
  const secret = ['--store-password-file', ''];
  const store = (...args: string[]) =>
    execFileSync(keytool, [...args, '-storepass', PASSWORD, '-noprompt'], { stdio: 'pipe', encoding: 'utf8' });
  const deviceStore = (file: string, type: string, alias: string, keyPassword = PASSWORD) =>
    store(
      ...['-genkeypair', '-keystore', at(file), '-storetype', type, '-alias', alias, '-dname', 'CN=d:pump:pump-7'],
      ...['-keyalg', 'RSA', '-keysize', '2048', '-sigalg', 'SHA256withRSA', '-validity', '3'],
      ...(type === 'JKS' ? ['-keypass', keyPassword] : []),
    );

  it.each(['JKS', 'PKCS12'])(
    'of the kind %s: every authority in a trust store is trusted, or one by its name',
    {
      timeout: 120_000,
    },
    async (type) => {
      const authorities = await Promise.all([company(), company()]);
      const file = `trust.${type}`;
      for (const [index, { root }] of authorities.entries()) {
        writeFileSync(at(`${index}.pem`), root.pem);
        const names = ['-alias', `Root-${index}`, '-file', at(`${index}.pem`)];
        store('-importcert', '-keystore', at(file), '-storetype', type, ...names);
      }
      secret[1] = at('password');
      const one = await run('ca', 'add', at(file), ...secret, '--alias', 'root-1', '--org', 'demo');
      expect(one.exitCode, one.err).toBe(0);
      const id = (index: number) => authorities[index]?.root.certificate.fingerprintSha256;
      expect(JSON.parse(one.out).map((row: { id: string }) => row.id)).toEqual([id(1)]);
      const both = await run('ca', 'add', at(file), ...secret, '--org', 'demo');
      expect(both.exitCode, both.err).toBe(0);
      expect(JSON.parse(both.out).map((row: { id: string }) => row.id)).toEqual([id(0)]);
      expect(both.err).toMatch(/"root-1" was not added/i);
      expect((await run('ca', 'add', at(file), ...secret, '--org', 'demo')).exitCode).toBe(1);
      const nobody = await run('ca', 'add', at(file), ...secret, '--alias', 'other', '--org', 'demo');
      expect(nobody).toMatchObject({ exitCode: 1, err: expect.stringContaining('holds no trusted certificate') });
      const wrong = await run('ca', 'add', at(file), '--store-password-file', at('key-password'), '--org', 'demo');
      expect(wrong).toMatchObject({ exitCode: 1, err: expect.stringContaining('password is wrong') });
    },
  );

  it.each([
    ['JKS', 'device.jks', KEY_PASSWORD],
    ['JKS', 'plain.jks', PASSWORD],
    ['PKCS12', 'device.p12', PASSWORD],
  ])(
    'of the kind %s: key and certificate of a device come out (%s), and its certificate is pinned',
    {
      timeout: 120_000,
    },
    async (type, file, keyPassword) => {
      deviceStore(file, type, 'pump-7', keyPassword);
      secret[1] = at('password');
      const passwords = [...secret, ...(keyPassword === PASSWORD ? [] : ['--key-password-file', at('key-password')])];
      const out = await run('certificate', 'unpack', at(file), ...passwords, '--out', at(file));
      expect(out.exitCode, out.err).toBe(0);
      const [cert, key] = [readFileSync(at(`${file}.pem`), 'utf8'), readFileSync(at(`${file}-key.pem`), 'utf8')];
      expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).toBe(true);
      expect(statSync(at(`${file}-key.pem`)).mode & 0o777).toBe(0o600);
      const pinned = await run('certificate', 'pin', 'pump/pump-7', at(file), ...passwords, '--org', 'demo');
      expect(pinned.exitCode, pinned.err).toBe(0);
      await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate' });
      expect(await reasonOf(server, { clientId: 'd:demo:pump:pump-7', cert, key })).toBe('admitted');
    },
  );

  it('becomes a new PKCS#12 file that openssl and keytool read', { timeout: 120_000 }, async () => {
    deviceStore('old.jks', 'JKS', 'pump-7');
    secret[1] = at('password');
    const made = await run(
      ...[
        'certificate',
        'unpack',
        at('old.jks'),
        ...secret,
        '--pkcs12',
        at('new.p12'),
        '--password-file',
        at('key-password'),
      ],
    );
    expect(made.exitCode, made.err).toBe(0);
    const args = ['pkcs12', '-in', at('new.p12'), '-passin', `file:${at('key-password')}`, '-nodes'];
    expect(execFileSync(openssl, args, { encoding: 'utf8', stdio: 'pipe' })).toContain('BEGIN PRIVATE KEY');
    const listed = execFileSync(keytool, ['-list', '-keystore', at('new.p12'), '-storepass', KEY_PASSWORD], {
      encoding: 'utf8',
    });
    expect(listed).toContain('PrivateKeyEntry');
  });

  it('holds the certificate of the server too, as PEM, DER and PKCS#12 of openssl do', {
    timeout: 180_000,
  }, async () => {
    const ours = await company();
    const { chain, key } = await serverPair(ours, [HOST]);
    const [leaf = '', issuer = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const write = (name: string, text: string) => writeFileSync(at(name), text);
    write('chain.pem', chain);
    write('leaf.pem', leaf);
    write('issuer.pem', issuer);
    write('key.pem', key);
    write('both.pem', key + chain);
    const ssl = (...args: string[]) => execFileSync(openssl, args, { stdio: 'pipe' });
    ssl('pkcs8', '-topk8', '-in', at('key.pem'), '-out', at('key.enc.pem'), '-passout', `file:${at('password')}`);
    ssl('pkcs8', '-topk8', '-nocrypt', '-in', at('key.pem'), '-outform', 'DER', '-out', at('key.der'));
    ssl('ec', '-in', at('key.pem'), '-outform', 'DER', '-out', at('key.sec1.der'));
    ssl('x509', '-in', at('leaf.pem'), '-outform', 'DER', '-out', at('leaf.der'));
    ssl('x509', '-in', at('issuer.pem'), '-outform', 'DER', '-out', at('issuer.der'));
    const p12 = [
      'pkcs12',
      '-export',
      '-in',
      at('chain.pem'),
      '-inkey',
      at('key.pem'),
      '-passout',
      `file:${at('password')}`,
    ];
    ssl(...p12, '-name', 'server', '-out', at('server.p12'));
    ssl(...p12, '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1', '-out', at('old.p12'));
    const from = [
      '-importkeystore',
      '-srckeystore',
      at('server.p12'),
      '-srcstoretype',
      'PKCS12',
      '-srcstorepass',
      PASSWORD,
    ];
    store(...from, '-destkeystore', at('server.jks'), '-deststoretype', 'JKS');

    secret[1] = at('password');
    const ways: readonly (readonly string[])[] = [
      ['chain.pem', '--key', 'key.pem'],
      ['both.pem'],
      ['chain.pem', '--key', 'key.enc.pem', '--passphrase-file', 'password'],
      ['leaf.der', '--chain', 'issuer.der', '--key', 'key.der'],
      ['leaf.pem', '--chain', 'issuer.pem', '--key', 'key.sec1.der'],
      ['server.p12', '--store-password-file', 'password'],
      ['old.p12', '--store-password-file', 'password'],
      ['server.jks', '--store-password-file', 'password'],
    ];
    for (const way of ways) {
      const args = way.map((word) => (word.startsWith('--') ? word : at(word)));
      const set = await run('ca', 'server-certificate', 'set', ...args);
      expect(set.exitCode, `${way.join(' ')}: ${set.err}`).toBe(0);
      expect(JSON.parse(set.out)).toMatchObject({ source: 'imported', names: [HOST], warnings: [] });
      expect(set.out + set.err).not.toContain('PRIVATE');
      expect(await shownAt(server.port, { ca: ours.root.pem, serverName: HOST })).toMatchObject({ good: true });
      expect((await run('ca', 'server-certificate', 'reset')).exitCode).toBe(0);
    }
    expect(await run('ca', 'server-certificate', 'show')).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('"own"'),
    });

    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['chain.pem'], /holds no key/],
      [['key.pem', '--key', 'key.pem'], /holds no certificate/],
      [['chain.pem', '--key', 'key.enc.pem', '--passphrase-file', 'key-password'], /cannot be read/],
      [['server.p12', '--store-password-file', 'key-password'], /password is wrong/],
      [['leaf.pem', '--key', 'absent.pem'], /cannot be read/],
    ];
    for (const [way, problem] of wrong) {
      const args = way.map((word) => (word.startsWith('--') ? word : at(word)));
      const refused = await run('ca', 'server-certificate', 'set', ...args);
      expect(refused.exitCode, way.join(' ')).not.toBe(0);
      expect(refused.err, way.join(' ')).toMatch(problem);
    }
  });
});
