import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectManagement } from '@sallyport/application/management';
import { loadConfiguration, startServer } from '@sallyport/server';
import { createRootAuthority, generateKeyPair, issueClientCertificate, keyPairToPem } from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { type Company, company, serverPair, shownAt } from '../server-pairs.ts';

const HOST = 'mqtt.company.test';
const HOUR = 3_600_000;

describe('a server certificate that clients would refuse, or whose key is looked for', () => {
  let server: TestServer;
  let ours: Company;
  beforeAll(async () => {
    server = await testServer();
    ours = await company();
  });
  afterAll(() => server.close());

  it('takes effect in no part when it is refused, and the refusal quotes nothing of the key', async () => {
    const good = await serverPair(ours, [HOST]);
    const other = await serverPair(ours, [HOST]);
    const expired = await serverPair(await company(Date.now() - 500 * 24 * HOUR), [HOST], {
      now: Date.now() - 500 * 24 * HOUR,
    });
    const early = await serverPair(await company(Date.now() + 24 * HOUR), [HOST], { now: Date.now() + 24 * HOUR });
    const [leaf = '', issuer = ''] = good.chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
    const stranger = await company();
    const clientKeys = await generateKeyPair();
    const client = await issueClientCertificate({
      authority: ours.issuer,
      publicKey: clientKeys.publicKey,
      commonName: HOST,
      now: Date.now(),
    });
    const authority = await createRootAuthority({ commonName: HOST, now: Date.now(), validity: HOUR });
    const { privateKey: shortKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const attempts: readonly [string, { chain: string; key: string }, RegExp][] = [
      ['the key of another', { chain: good.chain, key: other.key }, /key does not belong/],
      ['an order of its own', { chain: `${issuer}${leaf}`, key: good.key }, /not in order/],
      [
        'an issuer of the same name',
        { chain: `${leaf}${stranger.issuer.pem}`, key: good.key },
        /was not signed by the next/,
      ],
      ['one that has expired', expired, /has expired/],
      ['one of tomorrow', early, /not valid before/],
      ['one of a client', { chain: client.chainPem, key: await keyPairToPem(clientKeys) }, /without serverAuth/],
      ['an authority', { chain: authority.pem, key: await keyPairToPem(authority.keys) }, /is an authority/],
      ['a key that is none', { chain: good.chain, key: good.key.replace(/[A-Za-z]{8}/, 'AAAAAAAA') }, /key/],
      [
        'a short key',
        { chain: good.chain, key: shortKey.export({ type: 'pkcs8', format: 'pem' }) as string },
        /key does not belong/,
      ],
      ['a damaged chain', { chain: good.chain.replace(/MII./, 'AAAA'), key: good.key }, /cannot be read/],
      ['very many links', { chain: leaf + issuer.repeat(20), key: good.key }, /at most 10/],
    ];
    for (const [what, pair, reason] of attempts) {
      const refused = await server.api.serverCertificate.set(pair).then(
        () => undefined,
        (problem: Error) => problem,
      );
      expect(refused?.message, what).toMatch(reason);
      const secret = pair.key.split('\n')[1] ?? '';
      expect(JSON.stringify({ ...refused, message: refused?.message }), what).not.toContain(secret.slice(0, 24));
    }
    expect(await server.api.serverCertificate.get()).toMatchObject({ source: 'own' });
    expect(await shownAt(server.port, { ca: server.rootPem, serverName: 'localhost' })).toMatchObject({ good: true });
  });

  it('is not shown for the names of a neighbour, whatever it lists', async () => {
    const wide = await serverPair(ours, ['demo.company.test', 'other.company.test', '*.company.test']);
    await server.api.serverCertificate.set(wide, 'demo');
    const goodFor = async (serverName: string) => (await shownAt(server.port, { ca: ours.root.pem, serverName })).good;
    expect(await goodFor('demo.company.test')).toBe(true);
    expect(await goodFor('DEMO.company.test')).toBe(true);
    expect(await goodFor('other.company.test')).toBe(false);
    expect(await goodFor('nobody.company.test')).toBe(false);
    const foreign = await serverPair(ours, ['other.company.test']);
    await expect(server.api.serverCertificate.set(foreign, 'demo')).rejects.toThrow(/lists no host name demo\./);
    await expect(server.api.serverCertificate.set(wide, 'nobody')).rejects.toMatchObject({ code: 'not_found' });
    await server.api.serverCertificate.reset('demo');
  });

  it('is changed by administrators only, and nobody is shown a key', async () => {
    const pair = await serverPair(ours, [HOST]);
    const { token = '' } = await server.api.operators.create({ id: 'ann', role: 'operator' });
    const ann = connectManagement({
      url: `https://localhost:${server.httpPort}`,
      token,
      ca: server.rootPem,
    });
    await expect(ann.serverCertificate.set(pair)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ann.serverCertificate.reset()).rejects.toMatchObject({ code: 'forbidden' });
    await server.api.serverCertificate.set(pair);
    const secret = (pair.key.split('\n')[1] ?? '').slice(0, 24);
    expect(JSON.stringify(await ann.serverCertificate.get())).not.toContain(secret);
    expect(JSON.stringify(await server.api.audit({ limit: 500 }))).not.toContain(secret);
    await server.api.serverCertificate.reset();
    ann.close();
  });

  it('stops the start, with the file and the cure, where its file was damaged or opened to others', {
    timeout: 120_000,
  }, async () => {
    const own = await testServer();
    const start = () =>
      startServer({
        configuration: loadConfiguration({
          overrides: {
            dataDirectory: own.directory,
            'listeners.mqttTls.port': 0,
            'listeners.http.port': 0,
            'log.level': 'silent',
          },
        }),
      });
    try {
      await own.api.serverCertificate.set(await serverPair(ours, [HOST]));
      await own.server.close();
      const file = join(own.directory, 'pki', 'imported', 'server.pem');
      const whole = readFileSync(file, 'utf8');
      const cure = expect.stringContaining('Restore');
      for (const damaged of [
        '',
        whole.slice(0, 400),
        whole.replace('CERTIFICATE', 'CERTIFICAT'),
        whole.replace(/MII./, 'AAAA'),
      ]) {
        writeFileSync(file, damaged);
        await expect(start()).rejects.toMatchObject({
          code: 'key_material_invalid',
          message: expect.stringContaining(file),
          cure,
        });
      }
      writeFileSync(file, whole);
      chmodSync(file, 0o644);
      await expect(start()).rejects.toMatchObject({
        code: 'key_material_invalid',
        message: expect.stringContaining('readable or writable by others'),
      });
      chmodSync(file, 0o600);
      const again = await start();
      await again.close();
    } finally {
      await own.close();
    }
  });
});
