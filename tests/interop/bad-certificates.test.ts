import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knock, type Pair } from '../certificate-clients.ts';
import { AUTHORITY, CLIENT, OpensslCertificates } from '../openssl-certificates.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { SALLYPORT } from '../walks/sallyport-process.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

describeWith(['openssl'], 'certificates of openssl that must not count', ({ openssl = '' }) => {
  const made = new OpensslCertificates(openssl);
  const make = made.make.bind(made);
  const dated = made.dated.bind(made);
  const pair = made.pair.bind(made);
  let server: TestServer;
  let demanding: TestServer;
  beforeAll(async () => {
    server = await testServer();
    demanding = await testServer({ 'listeners.mqttTls.clientCertificates': 'require' });
    makeAuthorities();
    for (const each of [server, demanding]) {
      await each.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
      for (const name of ['root', 'short', 'constrained']) {
        await each.api.authorities.add(organisation, made.pem(name));
      }
      const { items } = await each.api.authorities.list(organisation);
      const root = items.find(({ subject }) => subject === 'CN=Plant root')?.id ?? '';
      await each.api.certificates.revokeForeign(organisation, { authority: root, serial: '0badc0de' });
    }
  }, 180_000);
  afterAll(async () => {
    await server.close();
    await demanding.close();
    made.remove();
  });

  function makeAuthorities(): void {
    make({ name: 'root', subject: '/CN=Plant root', extensions: AUTHORITY });
    make({ name: 'short', subject: '/CN=Short root', extensions: AUTHORITY.replace('TRUE', 'TRUE,pathlen:0') });
    make({
      name: 'constrained',
      subject: '/CN=Constrained root',
      extensions: `${AUTHORITY}\nnameConstraints=critical,permitted;email:plant.example,excluded;DNS:evil.example`,
    });
    make({ name: 'line', by: 'root', subject: '/CN=Line 1', extensions: AUTHORITY });
    make({ name: 'too-deep', by: 'short', subject: '/CN=Too deep', extensions: AUTHORITY });
    make({ name: 'no-ca', by: 'root', subject: '/CN=No authority', extensions: CLIENT });
    make({
      name: 'no-sign',
      by: 'root',
      subject: '/CN=No signer',
      extensions: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign',
    });
    dated('old-line', '20200101000000Z', '20210101000000Z', AUTHORITY, 'root', '/CN=Old line');
    make({ name: 'stranger', subject: '/CN=Stranger', extensions: AUTHORITY });
    make({ name: 'impostor', subject: '/CN=Plant root', extensions: AUTHORITY });
  }

  const BAD: readonly (readonly [what: string, reason: string, make: () => Pair, words: string])[] = [
    [
      'has expired',
      'certificate_expired',
      () => {
        dated('expired', '20200101000000Z', '20210101000000Z');
        return pair('expired');
      },
      'valid from 2020',
    ],
    [
      'is not valid yet',
      'certificate_not_yet_valid',
      () => {
        dated('early', '20480101000000Z', '20490101000000Z');
        return pair('early');
      },
      '2048',
    ],
    [
      'was revoked',
      'certificate_revoked',
      () => {
        make({ name: 'revoked', by: 'root', extensions: CLIENT, more: ['-set_serial', '0x0badc0de'] });
        return pair('revoked');
      },
      'revoked by',
    ],
    [
      'is of an authority that nobody trusts',
      'certificate_unknown_authority',
      () => {
        make({ name: 'strange', by: 'stranger', extensions: CLIENT });
        return pair('strange', 'stranger');
      },
      'Stranger',
    ],
    [
      'signed itself',
      'certificate_unknown_authority',
      () => {
        make({ name: 'self', extensions: CLIENT });
        return pair('self');
      },
      'd:pump:pump-7',
    ],
    [
      'came without the authority between',
      'certificate_unknown_authority',
      () => {
        make({ name: 'alone', by: 'line', extensions: CLIENT });
        return pair('alone');
      },
      'Line 1',
    ],
    [
      'is of an authority that only has the name',
      'certificate_invalid',
      () => {
        make({ name: 'false', by: 'impostor', extensions: CLIENT });
        return pair('false');
      },
      'not signed by the authority that it names',
    ],
    [
      'is for servers',
      'certificate_wrong_usage',
      () => {
        make({ name: 'server', by: 'root', extensions: CLIENT.replace('clientAuth', 'serverAuth') });
        return pair('server');
      },
      'may not be used for this',
    ],
    [
      'may not sign',
      'certificate_wrong_usage',
      () => {
        make({ name: 'cipher', by: 'root', extensions: CLIENT.replace('digitalSignature', 'keyAgreement') });
        return pair('cipher');
      },
      'may not be used for this',
    ],
    [
      'is below one that is no authority',
      'certificate_wrong_usage',
      () => {
        make({ name: 'below', by: 'no-ca', extensions: CLIENT });
        return pair('below', 'no-ca');
      },
      'is no authority',
    ],
    [
      'is below one that may not sign certificates',
      'certificate_wrong_usage',
      () => {
        make({ name: 'unsigned', by: 'no-sign', extensions: CLIENT });
        return pair('unsigned', 'no-sign');
      },
      'No signer',
    ],
    [
      'has too many authorities above it',
      'certificate_path_too_long',
      () => {
        make({ name: 'deep', by: 'too-deep', extensions: CLIENT });
        return pair('deep', 'too-deep');
      },
      'more authorities below it than it allows',
    ],
    [
      'is below an authority that has expired',
      'certificate_expired',
      () => {
        make({ name: 'late', by: 'old-line', extensions: CLIENT });
        return pair('late', 'old-line');
      },
      'is an authority that has expired',
    ],
    [
      'has a name that its authority may not certify',
      'certificate_name_not_permitted',
      () => {
        make({ name: 'foreign', by: 'constrained', extensions: `${CLIENT}\nsubjectAltName=email:pump@other.example` });
        return pair('foreign');
      },
      'may not certify',
    ],
    [
      'has a name that its authority is forbidden',
      'certificate_name_not_permitted',
      () => {
        make({ name: 'evil', by: 'constrained', extensions: `${CLIENT}\nsubjectAltName=DNS:a.evil.example` });
        return pair('evil');
      },
      'may not certify',
    ],
    [
      'is signed with SHA-1',
      'certificate_invalid',
      () => {
        make({ name: 'weak', by: 'root', extensions: CLIENT, more: ['-sha1'] });
        return pair('weak');
      },
      'broken hash',
    ],
    [
      'has an RSA key of 1024 bits',
      'certificate_invalid',
      () => {
        make({ name: 'small', by: 'root', extensions: CLIENT, key: ['-newkey', 'rsa:1024'] });
        return pair('small');
      },
      'too short',
    ],
    [
      'has a critical extension that nobody knows',
      'certificate_invalid',
      () => {
        make({ name: 'critical', by: 'root', extensions: `${CLIENT}\n1.2.3.4=critical,DER:0500` });
        return pair('critical');
      },
      'not understood',
    ],
    [
      'names another device',
      'certificate_name_mismatch',
      () => {
        make({ name: 'other', by: 'root', extensions: CLIENT, subject: '/CN=d:pump:pump-8' });
        return pair('other');
      },
      'does not name this client',
    ],
  ];

  it.each(VERSIONS)('takes one that is good, by each way, with %s', async (version) => {
    make({ name: 'good', by: 'root', extensions: CLIENT });
    make({ name: 'good-line', by: 'line', extensions: CLIENT });
    make({ name: 'good-name', by: 'constrained', extensions: `${CLIENT}\nsubjectAltName=email:pump@plant.example` });
    for (const good of [pair('good'), pair('good-line', 'line'), pair('good-name')]) {
      for (const each of [server, demanding]) {
        const { code, client } = await knock(each, {
          clientId,
          ...good,
          tls: { minVersion: version, maxVersion: version },
        });
        await client.endAsync(true);
        expect(code).toBe(0);
      }
    }
  });

  it.each(BAD)('refuses one that %s: %s', async (_what, reason, make, words) => {
    const bad = make();
    for (const each of [server, demanding]) {
      for (const version of VERSIONS) {
        const ciphers = 'DEFAULT@SECLEVEL=0';
        const { code, client } = await knock(each, {
          clientId,
          ...bad,
          tls: { minVersion: version, maxVersion: version, ciphers },
        });
        await client.endAsync(true);
        expect(code).not.toBe(0);
      }
      const { items } = await each.api.refusals({ limit: 100 });
      const [newest] = [...items].sort((a, b) => b.lastAt.localeCompare(a.lastAt));
      expect(newest).toMatchObject({ reason, count: expect.any(Number) });
      expect(newest?.steps.at(-1)?.text).toContain(words);
      expect(newest?.cure).not.toBe('');
      expect(newest?.address).toBe('127.0.0.1');
    }
  });

  it('refuses who shows none', async () => {
    for (const [each, action] of [
      [server, 'connect'],
      [demanding, 'handshake'],
    ] as const) {
      const { client } = await knock(each, { clientId });
      await client.endAsync(true);
      const { items } = await each.api.refusals({ limit: 100 });
      const [newest] = [...items].sort((a, b) => b.lastAt.localeCompare(a.lastAt));
      expect(newest).toMatchObject({ action, reason: 'certificate_required' });
    }
  });

  it('tells the newest refusal of an address or a client, and those before it', async () => {
    make({ name: 'newest', by: 'stranger', extensions: CLIENT });
    for (const each of [server, demanding]) {
      const { client } = await knock(each, { clientId, ...pair('newest', 'stranger') });
      await client.endAsync(true);
    }
    const explain = async (each: TestServer, ...who: string[]) =>
      (await promisify(execFile)(process.execPath, [SALLYPORT, '--data-dir', each.directory, 'explain', ...who]))
        .stdout;
    const [byAddress, byClient, nobody] = await Promise.all([
      explain(demanding, '--address', '127.0.0.1'),
      explain(server, '--client', clientId),
      explain(server, '--client', 'd:demo:pump:nobody'),
    ]);
    expect(byAddress).toMatch(/^Ticket [0-9A-Z]{6}: 127\.0\.0\.1 was refused to handshake/);
    expect(byClient).toMatch(/^Ticket [0-9A-Z]{6}: d:demo:pump:pump-7 was refused to connect/);
    for (const text of [byAddress, byClient]) {
      expect(text).toContain('its issuer is CN=Stranger');
      expect(text).toContain('What to do:');
      expect(text).toMatch(/Before that:\n\nTICKET +LAST/);
    }
    expect(nobody).toContain('Nothing is on record');
    expect(nobody).toContain('--address');
  }, 120_000);
});
