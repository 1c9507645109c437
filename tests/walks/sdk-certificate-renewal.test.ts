import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectApplication } from '@sallyport/application';
import { CertificateFiles, type CertificateFilesOptions, connectDevice } from '@sallyport/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { breakablePipe } from '../breakable-pipe.ts';
import { issuedPair } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

/*
 * Devices whose certificates are renewed while they work.
 */

let server: TestServer;
let folder: string;
let next = 0;
beforeAll(async () => {
  server = await testServer({ 'listeners.enrolment.enabled': true, 'listeners.enrolment.port': 0 });
  folder = mkdtempSync(join(tmpdir(), 'sallyport-renewal-'));
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate-or-token' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const pump = { type: 'pump', id: 'pump-7' };
const place = () => ({ host: 'localhost', port: server.port, ca: server.rootFile, organisation: 'demo' });
const serialOf = (pem: string) => new X509Certificate(pem).serialNumber;

/** Files with a certificate of the server, for a device of its own. */
async function files(more: Partial<CertificateFilesOptions> = {}): Promise<CertificateFilesOptions> {
  const pair = await issuedPair(server, 'device:demo/pump/pump-7');
  const path = (name: string) => join(folder, `${name}-${next}`);
  const paths = { cert: path('cert'), key: path('key') };
  next++;
  writeFileSync(paths.cert, pair.cert, { mode: 0o600 });
  writeFileSync(paths.key, pair.key, { mode: 0o600 });
  const est = `https://localhost:${server.server.enrolmentPort}/.well-known/est`;
  return { ...paths, est, ca: server.rootFile, random: () => 0, ...more };
}

describe('a device whose certificate is renewed', () => {
  it('moves over to the new one without losing its session, and leaves both files changed', async () => {
    const options = await files();
    const [oldCert, oldKey] = [options.cert, options.key].map((path) => readFileSync(path, 'utf8'));
    const certificate = await CertificateFiles.open(options);
    const pipe = await breakablePipe(server.port);
    const device = await connectDevice({ ...place(), port: pipe.port, ...pump, certificate });
    const heard: unknown[] = [];
    await device.onCommand('count', ({ payload }) => heard.push(payload));
    const desk = await connectApplication({
      ...place(),
      ...{ id: 'desk', key: server.keys.desk ?? '', token: server.tokens.desk ?? '' },
    });
    const moved = new Promise((resolve) => device.on('renewed', resolve));
    const renewed = certificate.renew();
    const sent: number[] = [];
    let done = false;
    void moved.then(() => {
      done = true;
    });
    // What is sent while it moves waits for it: the session is the same.
    while (!done) {
      sent.push(sent.length);
      await desk.sendCommand(pump, 'count', sent.length - 1);
    }
    await renewed;
    expect(await moved).toEqual({ what: 'certificate' });
    while (heard.length < sent.length) await new Promise((resolve) => setTimeout(resolve, 10));
    expect([...new Set(heard)]).toEqual(sent);
    await device.publishEvent('status', 1);
    expect(pipe.connections()).toBe(2);
    const [cert = '', key] = [options.cert, options.key].map((path) => readFileSync(path, 'utf8'));
    expect(serialOf(cert)).not.toBe(serialOf(oldCert ?? ''));
    expect(key).not.toBe(oldKey);
    expect(certificate.current).toEqual({ cert, key });
    certificate.close();
    await desk.close();
    await device.close();
    await pipe.close();
    // Nothing of the session is left behind.
    const { items } = await server.api.sessions.list('demo');
    expect(items.filter(({ clientId }) => clientId === device.clientId)).toEqual([]);
  });

  it('does it by itself when two thirds of its life have passed, also by MQTT 3.1.1', async () => {
    const certificate = await CertificateFiles.open(await files({ renewAfter: 0 }));
    const before = certificate.current.cert;
    const renewed = new Promise<void>((resolve) => certificate.onRenewed(resolve));
    const device = await connectDevice({ ...place(), ...pump, certificate, protocolVersion: 4 });
    await renewed;
    await device.publishEvent('status', 1);
    expect(serialOf(certificate.current.cert)).not.toBe(serialOf(before));
    certificate.close();
    await device.close();
  });

  it('says that it could not, goes on with the old one, and tries again', async () => {
    const pipe = await breakablePipe(1);
    const est = `https://localhost:${pipe.port}/.well-known/est`;
    const options = await files({ renewAfter: 0, est, backoff: { first: 100, longest: 100 } });
    const before = readFileSync(options.cert, 'utf8');
    const certificate = await CertificateFiles.open(options);
    const device = await connectDevice({ ...place(), ...pump, certificate });
    const problems: unknown[] = [];
    await new Promise<void>((resolve) =>
      device.on('problem', (problem) => {
        problems.push(problem);
        if (problems.length === 2) resolve();
      }),
    );
    expect(problems[0]).toMatchObject({ code: 'certificate_not_renewed', cure: expect.any(String) });
    await device.publishEvent('status', 1);
    expect(readFileSync(options.cert, 'utf8')).toBe(before);
    certificate.close();
    await device.close();
    await pipe.close();
  });

  it('names the ticket of a refused renewal', async () => {
    const options = await files();
    const certificate = await CertificateFiles.open(options);
    const { items } = await server.api.certificates.list('demo', { principal: 'device:demo/pump/pump-7' });
    const mine = items.find(({ serial }) => serialOf(certificate.current.cert).toLowerCase().endsWith(serial));
    await server.api.certificates.revoke('demo', mine?.id ?? '');
    await expect(certificate.renew()).rejects.toMatchObject({
      code: 'certificate_not_renewed',
      cure: expect.stringMatching(/sallyport explain [0-9A-Z]{6}/),
    });
    certificate.close();
  });
});
