import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { CertificateFiles } from '@sallyport/device';
import {
  type CertificateAuthority,
  certificatesFromPem,
  certificatesOnly,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  issueServerCertificate,
  keyPairToPem,
  readCertificateRequest,
} from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * Somebody plays the server of enrolment, or has its key: a device must not end up with a certificate that is not its own, or with none.
 */

const HOUR = 3_600_000;
const NAME = 'd:pump:pump-7';
let folder: string;
let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let server: Server;
let asked: string[] = [];
let answer: (csr: Uint8Array) => Promise<{ status: number; body: string; headers?: Record<string, string> }>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-est-'));
  const now = Date.now();
  authority = await createRootAuthority({ commonName: 'Plant', now, validity: 100 * HOUR });
  stranger = await createRootAuthority({ commonName: 'Plant', now, validity: 100 * HOUR });
  const keys = await generateKeyPair();
  const made = { authority, publicKey: keys.publicKey, now, dnsNames: ['localhost'] };
  const { chainPem } = await issueServerCertificate(made);
  const tls = { key: await keyPairToPem(keys), cert: chainPem, requestCert: true, rejectUnauthorized: false };
  server = createServer(tls, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    asked.push(`${request.url} ${subject?.CN}`);
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      void answer(Buffer.from(body, 'base64')).then((given) =>
        response.writeHead(given.status, given.headers).end(given.body),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

async function open(ca = authority.pem) {
  const keys = await generateKeyPair();
  const issued = await issueClientCertificate({
    ...{ authority, publicKey: keys.publicKey, commonName: NAME, now: Date.now(), validity: 10 * HOUR },
  });
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(paths.cert, issued.chainPem);
  writeFileSync(paths.key, await keyPairToPem(keys));
  asked = [];
  const est = `https://localhost:${(server.address() as AddressInfo).port}/.well-known/est`;
  const files = await CertificateFiles.open({ ...paths, est, ca });
  const before = () => readFileSync(paths.cert, 'utf8') + readFileSync(paths.key, 'utf8');
  return { files, on: before };
}

/** What a server answers that gives a certificate with these changes. */
const giving =
  (more: { commonName?: string; validity?: number; own?: boolean; twice?: boolean }): typeof answer =>
  async (csr) => {
    const read = await readCertificateRequest(csr);
    if (!read.ok) throw new Error(read.problem);
    const publicKey = more.own ? (await generateKeyPair()).publicKey : read.value.publicKey;
    const { commonName = NAME, validity = 20 * HOUR } = more;
    const { chainPem } = await issueClientCertificate({ authority, publicKey, commonName, now: Date.now(), validity });
    const [der] = certificatesFromPem(chainPem);
    const certificates = [der!, ...(more.twice ? [der!] : [])];
    return { status: 200, body: Buffer.from(certificatesOnly(certificates)).toString('base64') };
  };
const saying = (body: string, status = 200, headers = {}): typeof answer => {
  return async () => ({ status, body, headers });
};

describe('a device that renews its certificate', () => {
  it('shows the present one and takes a good one', async () => {
    answer = giving({});
    const { files, on } = await open();
    const before = on();
    await files.renew();
    expect(asked).toEqual([`/.well-known/est/simplereenroll ${NAME}`]);
    expect(on()).not.toBe(before);
    files.close();
  });

  it.each<[string, typeof answer]>([
    ['for another name', giving({ commonName: 'd:pump:pump-8' })],
    ['for a key that it has not', giving({ own: true })],
    ['that ends before the present one', giving({ validity: HOUR })],
    ['beside a second one', giving({ twice: true })],
    ['that is none', saying('AAAA')],
    ['of no bytes', saying('')],
    ['without end', saying('A'.repeat(1_000_000))],
    ['elsewhere', saying('', 302, { location: 'https://localhost:1/' })],
    ['later', saying('', 202, { 'retry-after': '1' })],
    ['with a problem', saying('{"ticket":"$(reboot)","detail":"\\u001b[2J"}', 403)],
  ])('keeps both files when it is given one %s', async (_, given) => {
    answer = given;
    const { files, on } = await open();
    const before = on();
    const failure: unknown = await files.renew().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'certificate_not_renewed' });
    for (const forged of ['reboot', '\u001b']) expect(String(failure)).not.toContain(forged);
    expect(on()).toBe(before);
    files.close();
  });

  it('asks nobody whose certificate it does not trust', async () => {
    const { files, on } = await open(stranger.pem);
    const before = on();
    await expect(files.renew()).rejects.toMatchObject({ code: 'certificate_not_renewed' });
    expect([asked, on()]).toEqual([[], before]);
    files.close();
  });

  it('asks once, however often it is told to at a time', async () => {
    answer = giving({});
    const { files } = await open();
    await Promise.all([files.renew(), files.renew(), files.renew()]);
    expect(asked).toHaveLength(1);
    files.close();
  });
});
