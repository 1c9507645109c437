import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDevice, type Pkcs11Key } from '@sallyport/device';
import type { Failure } from '@sallyport/model';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { issuedPair } from '../certificate-clients.ts';
import { describeWith, PKCS11_ENGINE } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

/*
 * A key in a token: somebody else's key does not pass for it, a wrong PIN is not tried until the token locks itself, and the PIN is nowhere to
 * be read.
 */

const PIN = '735219';
const MODULE = '/usr/lib/softhsm/libsofthsm2.so';

describeWith(['softhsm2-util', 'pkcs11-tool', 'openssl', PKCS11_ENGINE], 'a key in a token', (paths) => {
  let server: TestServer;
  let folder: string;
  let cert: string;
  const file = (name: string) => join(folder, name);
  const run = (program: string, ...given: string[]) =>
    execFileSync(paths[program] ?? program, given, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

  beforeAll(async () => {
    server = await testServer();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-token-'));
    mkdirSync(file('tokens'));
    writeFileSync(file('softhsm2.conf'), `directories.tokendir = ${file('tokens')}\nobjectstore.backend = file\n`);
    vi.stubEnv('SOFTHSM2_CONF', file('softhsm2.conf'));
    vi.stubEnv('PKCS11_MODULE_PATH', MODULE);
    writeFileSync(file('pin'), PIN);
    run('softhsm2-util', '--init-token', '--free', '--label', 'pump', '--pin', PIN, '--so-pin', '00000000');
    const login = ['--module', MODULE, '--token-label', 'pump', '--login', '--pin', PIN];
    for (const [label, id] of [
      ['tls', '01'],
      ['other', '02'],
    ] as const) {
      run('pkcs11-tool', ...login, '--keypairgen', '--key-type', 'EC:prime256v1', '--label', label, '--id', id);
    }
    const key = `pkcs11:token=pump;object=tls;type=private;pin-source=${file('pin')}`;
    const request = ['req', '-new', '-engine', 'pkcs11', '-keyform', 'engine', '-key', key, '-subj', '/CN=pump-7'];
    run('openssl', ...request, '-out', file('csr.pem'));
    const asked = { principal: 'device:demo/pump/pump-7', csr: readFileSync(file('csr.pem'), 'utf8') };
    cert = (await server.api.certificates.issue('demo', asked)).chainPem;
    await server.api.organisations.update('demo', { security: 'tls-certificate-or-token' });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const connected = (more: Partial<Pkcs11Key>, presented = cert) =>
    connectDevice({
      ...{
        host: server.host,
        port: server.port,
        ca: server.rootFile,
        organisation: 'demo',
        type: 'pump',
        id: 'pump-7',
      },
      certificate: {
        cert: presented,
        pkcs11: { uri: 'pkcs11:token=pump;object=tls;type=private', pinFile: file('pin'), ...more },
      },
    });
  const failureOf = (work: Promise<unknown>) =>
    work.then(
      () => expect.unreachable('it succeeded'),
      (failure: unknown) => failure as Failure,
    );
  /** Everything that a failure says, to somebody who writes it down as a whole. */
  const told = ({ message, cure, cause, stack }: Failure) =>
    [message, cure, stack, String(cause), JSON.stringify(cause, Object.getOwnPropertyNames(cause ?? {}))].join('\n');

  // The first of all: a module that has logged in once does not look at the PIN any more.
  it('is not asked again with a PIN that was wrong, nor with one that ends in a line break', async () => {
    writeFileSync(file('line'), `${PIN}\n`);
    expect(await failureOf(connected({ pinFile: file('line') }))).toMatchObject({
      code: 'key_material_invalid',
      cure: expect.stringContaining('without a line break'),
    });
    writeFileSync(file('wrong'), '111111');
    const failure = await failureOf(connected({ pinFile: file('wrong') }));
    expect(failure).toMatchObject({ code: 'key_material_invalid', message: expect.stringMatching(/PIN/) });
    expect(told(failure)).not.toContain('111111');
    const device = await connected({});
    await device.close();
  });

  it('proves the device, connection after connection', async () => {
    for (let count = 0; count < 3; count++) {
      const device = await connected({});
      await device.publishEvent('status', count);
      await device.close();
    }
  });

  it('that is not that of the certificate proves nothing', async () => {
    const other = { uri: 'pkcs11:token=pump;object=other;type=private' };
    expect((await failureOf(connected(other))).code).toMatch(/^(key_material_invalid|connection_|server_unreachable)/);
    const { cert: foreign } = await issuedPair(server, 'device:demo/pump/pump-8');
    expect((await failureOf(connected({}, foreign))).code).toMatch(
      /^(key_material_invalid|connection_|server_unreachable)/,
    );
  });

  it.each<[string, () => Partial<Pkcs11Key>, string]>([
    ['a PIN in its address', () => ({ uri: `pkcs11:token=pump;object=tls;pin-value=${PIN}` }), 'invalid_request'],
    ['a PIN behind its address', () => ({ uri: `pkcs11:token=pump;object=tls?pin-value=${PIN}` }), 'invalid_request'],
    ['an address of another kind', () => ({ uri: 'file:/etc/ssl/key.pem' }), 'invalid_request'],
    [
      'an object that is not there',
      () => ({ uri: 'pkcs11:token=pump;object=none;type=private' }),
      'key_material_invalid',
    ],
    ['a token that is not there', () => ({ uri: 'pkcs11:token=none;object=tls;type=private' }), 'key_material_invalid'],
    ['a PIN file that is not there', () => ({ pinFile: file('none') }), 'key_material_invalid'],
    ['a PIN file that brings settings along', () => ({ pinFile: `${file('pin')};object=other` }), 'invalid_request'],
    ['a module that is not there', () => ({ module: file('none.so') }), 'key_material_invalid'],
    ['another module than the program uses', () => ({ module: paths.openssl ?? '' }), 'invalid_request'],
    ['an engine that is not there', () => ({ engine: file('pkcs11.so') }), 'key_material_invalid'],
  ])('is refused with %s, with a cure and without the PIN', async (_what, more, code) => {
    const failure = await failureOf(connected(more()));
    expect(failure.code).toBe(code);
    expect(failure.cure).not.toBe('');
    expect(told(failure)).not.toContain(PIN);
  });
});
