import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { issuedPair, knock, ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';
const PUMP = 'device:demo/pump/pump-7';

describe('the five levels of connection security', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer();
  });
  afterAll(() => server.close());

  const CASES = [
    // level, with the certificate, with the token, with both, with neither
    ['tls-optional', 'admitted', 'admitted', 'admitted', 'missing_credential'],
    ['tls-token', 'missing_credential', 'admitted', 'admitted', 'missing_credential'],
    ['tls-certificate', 'admitted', 'certificate_required', 'admitted', 'certificate_required'],
    ['tls-certificate-and-token', 'missing_credential', 'certificate_required', 'admitted', 'certificate_required'],
    ['tls-certificate-or-token', 'admitted', 'admitted', 'admitted', 'missing_credential'],
  ] as const;

  it.each(CASES)('%s: certificate %s, token %s, both %s, neither %s', async (security, ...expected) => {
    await server.api.types.update({ organisation, id: 'pump' }, { security });
    const { key, cert } = await issuedPair(server, PUMP);
    const token = server.tokens['pump-7'] ?? '';
    const found = [
      await reasonOf(server, { clientId, key, cert }),
      await reasonOf(server, { clientId, token }),
      await reasonOf(server, { clientId, key, cert, token }),
      await reasonOf(server, { clientId }),
    ];
    expect(found).toEqual(expected);
  });
});

describe('certificates under way', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await testServer();
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
  });
  afterEach(() => server.close());

  it('takes those of an authority that the organisation began to trust a moment ago, without a restart', async () => {
    const plant = await ownAuthority();
    const pair = await pairOf(plant, 'd:pump:pump-7');
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_unknown_authority');
    await server.api.authorities.add(organisation, plant.pem);
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
  });

  it('ends the sessions that leaned on an authority when it is removed, and no others', async () => {
    const plant = await ownAuthority();
    const { id } = await server.api.authorities.add(organisation, plant.pem);
    const leaning = await knock(server, { clientId, ...(await pairOf(plant, 'd:pump:')) });
    const standing = await knock(server, {
      clientId: 'd:demo:pump:pump-8',
      ...(await issuedPair(server, 'device:demo/pump/pump-8')),
    });
    expect([leaning.code, standing.code]).toEqual([0, 0]);
    await server.api.authorities.remove(organisation, id);
    await leaning.gone;
    expect((await server.api.sessions.list(organisation)).items.map((one) => one.clientId)).toEqual([
      'd:demo:pump:pump-8',
    ]);
    await standing.client.endAsync(true);
  });

  it('ends a live session when its certificate is revoked, and says so to whoever asks', async () => {
    const pair = await issuedPair(server, PUMP);
    const live = await knock(server, { clientId, ...pair });
    expect(live.code).toBe(0);
    await server.api.certificates.revoke(organisation, pair.id);
    await live.gone;
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
    const { items } = await server.api.refusals({ limit: 1 });
    expect(items[0]?.steps.at(-1)?.text).toContain('was revoked by operator:admin');
  });

  it('ends a session on certificate and token when either of them is revoked', async () => {
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-and-token' });
    const first = await issuedPair(server, PUMP);
    const token = server.tokens['pump-7'] ?? '';
    const byCertificate = await knock(server, { clientId, token, ...first });
    expect(byCertificate.code).toBe(0);
    await server.api.certificates.revoke(organisation, first.id);
    await byCertificate.gone;

    const second = await issuedPair(server, PUMP);
    const byToken = await knock(server, { clientId, token, ...second });
    expect(byToken.code).toBe(0);
    const name = { organisation, type: 'pump', id: 'pump-7' };
    for (const { id } of (await server.api.devices.credentials.list(name)).items) {
      await server.api.devices.credentials.revoke(name, id);
    }
    await byToken.gone;
  });

  it('takes a pinned certificate from whoever signed it, until the pin is revoked', async () => {
    const selfMade = await pairOf(await ownAuthority('Nobody'), 'anything');
    expect(await reasonOf(server, { clientId, ...selfMade })).toBe('certificate_unknown_authority');
    const { id } = await server.api.certificates.pin(organisation, { principal: PUMP, certificate: selfMade.cert });
    const live = await knock(server, { clientId, ...selfMade });
    expect(live.code).toBe(0);
    expect(await reasonOf(server, { clientId: 'd:demo:pump:pump-8', ...selfMade })).toBe('certificate_name_mismatch');
    await server.api.certificates.revoke(organisation, id);
    await live.gone;
    expect(await reasonOf(server, { clientId, ...selfMade })).toBe('certificate_revoked');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('judges a resumed session of %s anew', async (version) => {
    const plant = await ownAuthority();
    await server.api.authorities.add(organisation, plant.pem);
    const pair = await pairOf(plant, 'd:pump:pump-7');
    const tls = { minVersion: version, maxVersion: version };
    const first = await knock(server, { clientId, ...pair, tls });
    expect(first.code).toBe(0);
    // The ticket of TLS 1.3 comes with the first bytes after the handshake.
    await first.client.publishAsync('iot-2/evt/x/fmt/json', '{}', { qos: 1 });
    await first.client.endAsync(true);
    const session = first.session();
    if (!session) throw new Error('the server gave no ticket');
    const again = await knock(server, { clientId, ...pair, tls, session });
    expect([again.code, again.resumed]).toEqual([0, true]);
    await again.client.endAsync(true);
    await server.api.certificates.revokeForeign(organisation, { certificate: pair.cert });
    expect(await reasonOf(server, { clientId, ...pair, tls, session })).toBe('certificate_revoked');
  });
});

describe('a listener that demands certificates', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ 'listeners.mqttTls.clientCertificates': 'require' });
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
  });
  afterAll(() => server.close());

  it('lets nobody reach CONNECT without one that counts, and keeps why under a ticket', async () => {
    const pair = await issuedPair(server, PUMP);
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
    expect((await knock(server, { clientId })).code).toBe('closed');
    const stranger = await pairOf(await ownAuthority('Stranger'), 'd:pump:pump-7');
    expect((await knock(server, { clientId, ...stranger })).code).toBe('closed');
    await server.api.certificates.revoke(organisation, pair.id);
    expect((await knock(server, { clientId, ...pair })).code).toBe('closed');
    const { items } = await server.api.refusals({ limit: 10 });
    expect(items.map(({ action, reason }) => `${action} ${reason}`)).toEqual([
      'handshake certificate_revoked',
      'handshake certificate_unknown_authority',
      'handshake certificate_required',
    ]);
    for (const { ticket, cure } of items)
      expect([ticket, cure]).toEqual([expect.stringMatching(/^\w{6}$/), expect.any(String)]);
  });
});

describe('the command line', { timeout: 120_000 }, () => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await testServer();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-certificates-'));
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const run = async (...args: string[]) => {
    const place = ['--data-dir', server.directory, '--org', organisation, '--json'];
    const program = new RunningProgram(process.execPath, [SALLYPORT, ...args, ...place]);
    return { exitCode: await program.exited, out: program.out, err: program.err };
  };

  it('issues with a new key that only its owner can read, lists, and revokes by serial', async () => {
    const out = join(folder, 'pump-7');
    const issued = await run('certificate', 'issue', 'pump/pump-7', '--new', '--out', out);
    expect(issued.exitCode, issued.err).toBe(0);
    expect((statSync(`${out}-key.pem`).mode & 0o777).toString(8)).toBe('600');
    const { serial } = JSON.parse(issued.out);
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
    const pair = { key: readFileSync(`${out}-key.pem`, 'utf8'), cert: readFileSync(`${out}.pem`, 'utf8') };
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
    const ending = await run('certificate', 'list', '--expiring', '365d');
    expect(JSON.parse(ending.out)).toMatchObject([{ serial, kind: 'issued', principal: PUMP }]);
    expect((await run('certificate', 'list', '--expiring', '1d')).out).toBe('[]\n');
    expect((await run('certificate', 'revoke', serial)).exitCode).toBe(0);
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
    const again = await run('certificate', 'issue', 'pump/pump-7', '--new', '--out', out);
    expect(again.exitCode).not.toBe(0);
  });

  it('adds an authority from DER, shows it, and refuses what is none', async () => {
    const plant = await ownAuthority();
    const file = join(folder, 'plant.der');
    writeFileSync(file, plant.certificate.der);
    const added = await run('ca', 'add', file);
    expect(added.exitCode, added.err).toBe(0);
    const { id } = JSON.parse(added.out);
    expect(JSON.parse((await run('ca', 'list')).out).map((one: { builtIn: boolean }) => one.builtIn)).toEqual([
      true,
      true,
      false,
    ]);
    expect(JSON.parse((await run('ca', 'export', id.slice(0, 16))).out).pem).toBe(plant.pem);
    const leaf = join(folder, 'leaf.pem');
    writeFileSync(leaf, (await pairOf(plant, 'd:pump:pump-7')).cert);
    const refused = await run('ca', 'add', leaf);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.err).toContain('it is no authority');
    const secret = join(folder, 'key.pem');
    writeFileSync(secret, (await pairOf(plant, 'd:pump:pump-7')).key);
    expect((await run('ca', 'add', secret)).err).toContain('holds a private key');
    expect((await run('ca', 'remove', id.slice(0, 16))).exitCode).toBe(0);
  });
});

describeWith(
  ['openssl', 'mosquitto_pub'],
  "the article's recipe, typed as printed",
  ({ openssl = '', mosquitto_pub = '' }) => {
    let server: TestServer;
    let folder: string;
    beforeAll(async () => {
      server = await testServer();
      await server.api.types.create({ organisation, id: 'SecuredDevice', security: 'tls-certificate' });
      await server.api.devices.create({ organisation, type: 'SecuredDevice', id: '0400213', withoutToken: true });
      folder = mkdtempSync(join(tmpdir(), 'sallyport-recipe-'));
      writeFileSync(join(folder, 'ext.cfg'), EXT);
      writeFileSync(join(folder, 'srvest.cfg'), SRVEXT);
      writeFileSync(join(folder, 'openssl.cnf'), OPENSSL);
      for (const line of RECIPE)
        execFileSync(
          openssl,
          line.split(' ').map((word) => word.replace(/~/g, ' ')),
          { cwd: folder, stdio: 'pipe' },
        );
      execFileSync(
        openssl,
        ['rsa', '-in', 'SecuredDevice_0400213_key.pem', '-passin', 'pass:secret', '-out', 'plain_key.pem'],
        { cwd: folder, stdio: 'pipe' },
      );
      for (const name of ['rootCA_certificate.pem', 'intermediateCA.crt.pem']) {
        await server.api.authorities.add(organisation, readFileSync(join(folder, name), 'utf8'));
      }
    }, 60_000);
    afterAll(async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const file = (name: string) => readFileSync(join(folder, name), 'utf8');

    it('lets mosquitto_pub in with the device certificate', async () => {
      const program = new RunningProgram(mosquitto_pub, [
        ...['-h', 'localhost', '-p', String(server.port), '--cafile', server.rootFile],
        ...['--cert', join(folder, 'SecuredDevice_0400213.crt.pem'), '--key', join(folder, 'plain_key.pem')],
        ...['-i', 'd:demo:SecuredDevice:0400213', '-t', 'iot-2/evt/eid/fmt/json', '-m', '{}', '-q', '1'],
      ]);
      expect(await program.exited, program.err).toBe(0);
    });

    it('takes the client id without organisation that the sample sends, where the server name says it', async () => {
      const pair = { cert: file('SecuredDevice_0400213.crt.pem'), key: file('plain_key.pem') };
      const sample = { clientId: 'd:SecuredDevice:0400213', ...pair };
      expect(await reasonOf(server, { ...sample, serverName: 'demo.messaging.test' })).toBe('admitted');
      expect(await reasonOf(server, sample)).toBe('malformed_client_id');
      expect(
        await reasonOf(server, {
          ...pair,
          clientId: 'd:demo:SecuredDevice:0400213',
          serverName: 'other.messaging.test',
        }),
      ).toBe('server_name_mismatch');
    });

    it('takes the certificate of the type for each of its devices, and for no other', async () => {
      execFileSync(openssl, ['rsa', '-in', 'SecuredDevice_key.pem', '-passin', 'pass:secret', '-out', 'type_key.pem'], {
        cwd: folder,
        stdio: 'pipe',
      });
      const pair = { cert: file('SecuredDevice.crt.pem'), key: file('type_key.pem') };
      expect(await reasonOf(server, { clientId: 'd:demo:SecuredDevice:0400213', ...pair })).toBe('admitted');
      await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
      expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_name_mismatch');
    });
  },
);

const EXT = `[ req ]
attributes = req_attributes
req_extensions = v3_ca
prompt = no
[ req_attributes ]
[ v3_ca ]
    basicConstraints = CA:true
`;
const SRVEXT = `[ req ]
req_extensions = v3_req
[ v3_req ]
subjectAltName = DNS:demo.messaging.internetofthings.ibmcloud.com
`;
/** What the article's openssl.cnf is on the authors' machine, as far as its commands need it. */
const OPENSSL = `[ req ]
distinguished_name = req_distinguished_name
[ req_distinguished_name ]
[ v3_ca ]
basicConstraints = CA:true
`;
/** A tilde stands for a blank within a word. */
const RECIPE = [
  'genrsa -aes256 -passout pass:secret -out rootCA_key.pem 2048',
  'req -new -sha256 -x509 -days 3560 -subj /C=IN/ST=WB/L=KOL/O=demo/OU=demo~Corporate/CN=demo~Root~CA -extensions v3_ca -set_serial 1 -passin pass:secret -key rootCA_key.pem -out rootCA_certificate.pem -config openssl.cnf',
  'genrsa -aes256 -passout pass:secret -out intermediateCA_key.pem 2048',
  'req -new -sha256 -days 3650 -subj /C=IN/ST=WB/L=KOL/O=demo/OU=AIMDEV/CN=demo~Intermediate~CA -passin pass:secret -key intermediateCA_key.pem -out intermediateCA.crt.csr -config openssl.cnf',
  'x509 -days 3650 -in intermediateCA.crt.csr -out intermediateCA.crt.pem -req -sha256 -CA rootCA_certificate.pem -passin pass:secret -CAkey rootCA_key.pem -set_serial 13 -extensions v3_ca -extfile ext.cfg',
  'genrsa -aes256 -passout pass:secret -out SecuredDevice_key.pem 2048',
  'req -new -sha256 -days 3560 -subj /C=IN/ST=WB/L=KOL/O=demo/OU=IMATEST/CN=d:SecuredDevice: -passin pass:secret -key SecuredDevice_key.pem -out SecuredDevice.crt.csr -config openssl.cnf',
  'x509 -days 3650 -in SecuredDevice.crt.csr -out SecuredDevice.crt.pem -req -sha256 -CA intermediateCA.crt.pem -passin pass:secret -CAkey intermediateCA_key.pem -extensions v3_req -extfile srvest.cfg -set_serial 131',
  'genrsa -aes256 -passout pass:secret -out SecuredDevice_0400213_key.pem 2048',
  'req -new -sha256 -days 3560 -subj /C=IN/ST=WB/L=KOL/O=demo/OU=IMATEST/CN=d:SecuredDevice:0400213 -passin pass:secret -key SecuredDevice_0400213_key.pem -out SecuredDevice_0400213.crt.csr -config openssl.cnf',
  'x509 -days 3650 -in SecuredDevice_0400213.crt.csr -out SecuredDevice_0400213.crt.pem -req -sha256 -CA intermediateCA.crt.pem -passin pass:secret -CAkey intermediateCA_key.pem -extensions v3_req -extfile srvest.cfg -set_serial 132',
];
