import { readFileSync, writeFileSync } from 'node:fs';
import { connectManagement } from '@sallyport/application/management';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AUTHORITY, OpensslCertificates } from '../openssl-certificates.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { shownAt } from '../server-pairs.ts';
import { sallyport } from '../walks/sallyport-process.ts';

const HOST = 'mqtt.company.test';

describeWith(['openssl'], 'a certificate request for the key of the server', ({ openssl = '' }) => {
  const made = new OpensslCertificates(openssl);
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer();
    made.make({ name: 'company', subject: '/CN=Company root', extensions: AUTHORITY });
  }, 120_000);
  afterAll(async () => {
    await server.close();
    made.remove();
  });
  const run = (...args: string[]) =>
    sallyport([
      'ca',
      'server-certificate',
      ...args,
      '--data-dir',
      server.directory,
      '--server',
      `https://localhost:${server.httpPort}`,
    ]);
  const keyText = () => readFileSync(`${server.directory}/pki/server-key.pem`, 'utf8').split('\n')[1] ?? '';

  it('is signed by openssl and shown, without the key ever leaving the server', async () => {
    const csr = made.path('server.csr');
    const asked = await run('request', '--name', HOST, '--name', '192.0.2.7', '--out', csr);
    expect(asked, asked.err).toMatchObject({ exitCode: 0 });
    const text = made.run('req', '-in', csr, '-noout', '-text', '-verify');
    expect(text).toContain(`DNS:${HOST}, IP Address:192.0.2.7`);
    expect(asked.out + readFileSync(csr, 'latin1')).not.toContain(keyText());
    writeFileSync(made.path('server.ext'), `subjectAltName=DNS:${HOST}\nextendedKeyUsage=serverAuth\n`);
    const signer = ['-CA', made.path('company.pem'), '-CAkey', made.path('company.key'), '-set_serial', '77'];
    made.run(
      'x509',
      '-req',
      '-in',
      csr,
      ...signer,
      '-extfile',
      made.path('server.ext'),
      '-out',
      made.path('signed.pem'),
    );

    const keyless = await run('set', made.path('signed.pem'));
    expect(keyless.exitCode).toBe(2);
    expect(keyless.err).toContain('--own-key');
    const set = await run('set', made.path('signed.pem'), '--own-key');
    expect(set, set.err).toMatchObject({ exitCode: 0 });
    const shown = await shownAt(server.port, { serverName: HOST, ca: made.pem('company') });
    expect(shown).toMatchObject({ issuer: 'Company root', good: true });
    expect(await server.api.serverCertificate.get()).toMatchObject({ source: 'imported', names: [HOST] });
    await server.api.serverCertificate.reset();
  }, 120_000);

  it('puts nothing in place that is for another key, and a refusal holds nothing of the key', async () => {
    made.make({ name: 'other', by: 'company', subject: `/CN=${HOST}`, extensions: `subjectAltName=DNS:${HOST}` });
    const refused = await server.api.serverCertificate
      .set({ chain: made.pem('other') })
      .catch((problem: Error) => problem);
    expect(refused).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('key does not belong') });
    expect(JSON.stringify(refused)).not.toContain(keyText());
    expect(await server.api.serverCertificate.get()).toMatchObject({ source: 'own' });
  });

  it('lists no name that is none, and never without bound', async () => {
    for (const names of [
      ['a b'],
      ['x\0y'],
      ['*.*.test'],
      [''],
      ['a'.repeat(300)],
      Array.from({ length: 101 }, (_, n) => `h${n}.test`),
    ]) {
      await expect(server.api.serverCertificate.request({ names })).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  it('is made for administrators only', async () => {
    const { token = '' } = await server.api.operators.create({ id: 'looks', role: 'reader' });
    const reader = connectManagement({ url: `https://localhost:${server.httpPort}`, token, ca: server.rootPem });
    await expect(reader.serverCertificate.request()).rejects.toMatchObject({ code: 'forbidden' });
    reader.close();
  });
});
