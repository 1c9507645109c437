import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connectManagement } from '@sallyport/application/management';
import { loadConfiguration, type RunningServer, startServer } from '@sallyport/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knock } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';
import { type Company, company, serverPair, shownAt } from '../server-pairs.ts';

const OWN = 'Sallyport intermediate';
const COMPANY = 'Company servers';
const HOST = 'mqtt.company.test';

describe.each([1, 2])('the server certificate of another authority, with %i workers', (workers) => {
  let server: TestServer;
  let ours: Company;
  let doors: readonly number[];
  beforeAll(async () => {
    server = await testServer({
      workers,
      'listeners.enrolment.enabled': true,
      'listeners.enrolment.port': 0,
      serverNames: [HOST, 'other.company.test'],
    });
    ours = await company();
    doors = [server.port, server.httpPort, server.server.enrolmentPort ?? 0];
  });
  afterAll(() => server.close());
  const shown = (port: number, serverName?: string, session?: Buffer) =>
    shownAt(port, {
      ca: ours.root.pem,
      ...(serverName === undefined ? {} : { serverName }),
      ...(session === undefined ? {} : { session }),
    });

  it('is shown by every listener from the next handshake on, while sessions of before stay and their tickets end', async () => {
    const live = await knock(server, { clientId: 'd:demo:pump:pump-7', token: server.tokens['pump-7'] ?? '' });
    expect(live.code).toBe(0);
    const before = await shown(server.port, HOST);
    expect(before).toMatchObject({ issuer: OWN, good: false });
    expect(await shown(server.port, HOST, before.session)).toMatchObject({ resumed: true });

    const set = await server.api.serverCertificate.set(await serverPair(ours, [HOST]));
    expect(set).toMatchObject({ source: 'imported', names: [HOST] });
    expect(set.warnings).toEqual([expect.stringContaining('does not list other.company.test:')]);
    for (const port of doors) {
      expect(await shown(port, HOST)).toMatchObject({ issuer: COMPANY, good: true });
      expect(await shown(port)).toMatchObject({ issuer: COMPANY });
    }
    expect(await shown(server.port, HOST, before.session)).toMatchObject({ resumed: false, issuer: COMPANY });

    await live.client.publishAsync('iot-2/evt/status/fmt/json', '{}', { qos: 1 });
    expect(live.client.connected).toBe(true);
    await live.client.endAsync();
  });

  it('leaves names that it does not list to the certificate of this server, so that clients of before still come', async () => {
    for (const port of doors) {
      expect(await shown(port, 'localhost')).toMatchObject({ issuer: OWN });
      expect(await shown(port, 'other.company.test')).toMatchObject({ issuer: OWN });
      expect(await shown(port, 'nobody.test')).toMatchObject({ issuer: COMPANY });
    }
    expect((await server.api.health()).status).toBe('ok');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('resumes %s sessions under every name', async (version) => {
    await server.api.serverCertificate.set(await serverPair(ours, ['demo.company.test']), 'demo');
    for (const serverName of [HOST, 'localhost', 'demo.company.test']) {
      const first = await shownAt(server.port, { ca: ours.root.pem, serverName, version });
      const again = await shownAt(server.port, {
        ca: ours.root.pem,
        serverName,
        version,
        ...(first.session ? { session: first.session } : {}),
      });
      expect(again).toMatchObject({ resumed: true });
    }
  });

  it('is shown for the host names of one organisation only, where it is of one', async () => {
    await server.api.serverCertificate.set(await serverPair(ours, ['demo.company.test', 'other.test']), 'demo');
    expect(await server.api.serverCertificate.get('demo')).toMatchObject({ organisation: 'demo', source: 'imported' });
    const names = async (serverName: string) => {
      const issuers = [];
      for (const port of doors) issuers.push((await shownAt(port, { ca: ours.root.pem, serverName })).good);
      return issuers;
    };
    expect(await names('demo.company.test')).toEqual([true, true, true]);
    // Listed, and of nobody: the name does not begin with the organisation.
    expect(await names('other.test')).toEqual([false, false, false]);
    expect(await server.api.serverCertificate.reset('demo')).toMatchObject({ source: 'imported', names: [HOST] });
    expect(await names('demo.company.test')).toEqual([false, false, false]);
    await expect(server.api.serverCertificate.get('demo')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is told of in the audit trail, without its key, and taken back', async () => {
    const { items } = await server.api.audit({ type: 'server-certificate.changed' });
    expect(items[0]).toMatchObject({ by: 'operator:admin', details: { source: 'imported' } });
    expect(JSON.stringify(items)).not.toContain('PRIVATE');
    expect(await server.api.serverCertificate.reset()).toMatchObject({ source: 'own', warnings: [] });
    expect(await shown(server.port, HOST)).toMatchObject({ issuer: OWN });
    await expect(server.api.serverCertificate.reset()).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a server certificate that was imported before a restart', () => {
  it('is there again, private to its owner, and goes with its organisation', async () => {
    const first = await testServer();
    const ours = await company();
    const start = async (): Promise<RunningServer> =>
      startServer({
        configuration: loadConfiguration({
          overrides: {
            dataDirectory: first.directory,
            'listeners.mqttTls.port': 0,
            'listeners.http.port': 0,
            'log.level': 'silent',
          },
        }),
      });
    try {
      await first.api.organisations.create({ id: 'brief' });
      await first.api.serverCertificate.set(await serverPair(ours, [HOST]));
      await first.api.serverCertificate.set(await serverPair(ours, ['brief.company.test']), 'brief');
      await first.server.close();
      const folder = join(first.directory, 'pki', 'imported');
      const files = [join(folder, 'server.pem'), join(folder, 'organisations', 'brief.pem')];
      for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(files[0] ?? '', 'utf8')).toContain('BEGIN PRIVATE KEY');

      const second = await start();
      const port = second.mqttPort ?? 0;
      try {
        for (const serverName of [HOST, 'brief.company.test']) {
          expect(await shownAt(port, { ca: ours.root.pem, serverName })).toMatchObject({ good: true });
        }
        const api = connectManagement({
          url: `https://localhost:${second.httpPort}`,
          token: first.operatorToken,
          ca: second.rootPem,
        });
        await api.organisations.remove('brief');
        await expect
          .poll(() => shownAt(port, { ca: ours.root.pem, serverName: 'brief.company.test' }), { timeout: 20_000 })
          .toMatchObject({ good: false });
        await expect
          .poll(() => statSync(files[1] ?? '', { throwIfNoEntry: false }), { timeout: 20_000 })
          .toBeUndefined();
        api.close();
      } finally {
        await second.close();
      }
    } finally {
      await first.close();
    }
  });
});
