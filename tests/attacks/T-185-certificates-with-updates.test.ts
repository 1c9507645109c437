import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type DeviceCertificate, estRenewal } from '@sallyport/device/firmware';
import {
  type CertificateAuthority,
  certificatesOnly,
  generateKeyPair,
  issueClientCertificate,
  issueServerCertificate,
  keyPairToPem,
  readCertificateRequest,
} from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair, ownAuthority, pairOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

const HOUR = 3_600_000;

describe('a server that answers the renewal of a certificate', () => {
  let authority: CertificateAuthority;
  let server: Server;
  let answer: (request: Buffer) => Promise<{ status: number; body: string | Buffer }>;
  let current: DeviceCertificate;
  let ca: string;
  beforeAll(async () => {
    authority = await ownAuthority();
    const keys = await generateKeyPair();
    const issued = await issueServerCertificate({
      authority,
      publicKey: keys.publicKey,
      commonName: 'localhost',
      dnsNames: ['localhost'],
      now: Date.now(),
      validity: HOUR,
    });
    ca = authority.pem;
    current = await pairOf(authority, 'd:pump:pump-7');
    server = createServer(
      { cert: issued.chainPem, key: await keyPairToPem(keys), requestCert: true, ca },
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          void answer(Buffer.from(Buffer.concat(chunks).toString('utf8'), 'base64')).then(({ status, body }) => {
            response.writeHead(status).end(body);
          });
        });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  });
  afterAll(() => server.close());

  const renew = () => {
    const { port } = server.address() as AddressInfo;
    return estRenewal({ host: 'localhost', port, organisation: 'demo', ca })(current);
  };
  const issuedFor = async (
    request: Buffer,
    commonName: string,
    publicKey?: Parameters<typeof issueClientCertificate>[0]['publicKey'],
  ) => {
    const read = await readCertificateRequest(request);
    if (!read.ok) throw new Error(read.problem);
    const key = publicKey ?? read.value.publicKey;
    const issued = await issueClientCertificate({
      authority,
      publicKey: key,
      commonName,
      now: Date.now(),
      validity: HOUR,
    });
    return { status: 200, body: Buffer.from(certificatesOnly([issued.der])).toString('base64') };
  };

  it('is believed with a certificate for the key and the name that were asked for', async () => {
    answer = (request) => issuedFor(request, 'd:pump:pump-7');
    const renewed = await renew();
    expect(renewed.key).not.toBe(current.key);
    expect(renewed.cert).toContain('BEGIN CERTIFICATE');
  });

  it('is not believed with one for another device, or for another key', async () => {
    answer = (request) => issuedFor(request, 'd:pump:pump-8');
    await expect(renew()).rejects.toMatchObject({ code: 'certificate_not_renewed' });
    const stranger = await generateKeyPair();
    answer = (request) => issuedFor(request, 'd:pump:pump-7', stranger.publicKey);
    await expect(renew()).rejects.toMatchObject({ code: 'certificate_not_renewed' });
  });

  it('does no harm with what is no certificate, or without an end', async () => {
    for (const body of ['', 'AAAA', 'not base64 at all', Buffer.from([0x30, 0x80]).toString('base64')]) {
      answer = async () => ({ status: 200, body });
      await expect(renew(), body).rejects.toMatchObject({ code: 'certificate_not_renewed' });
    }
    answer = async () => ({ status: 200, body: Buffer.alloc(300_000, 0x41) });
    await expect(renew()).rejects.toMatchObject({ code: 'certificate_not_renewed' });
    answer = async () => ({ status: 403, body: JSON.stringify({ detail: 'no', ticket: 'PX1XJY' }) });
    await expect(renew()).rejects.toMatchObject({
      code: 'certificate_not_renewed',
      message: expect.stringContaining('ticket PX1XJY'),
    });
  });
});

describe('the renewal of a certificate', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ 'listeners.enrolment.enabled': true, 'listeners.enrolment.port': 0 });
  });
  afterAll(() => server.close());

  it('gives no device the certificate of another, and nobody one for a certificate that was revoked', async () => {
    const port = server.server.enrolmentPort ?? 0;
    const renew = estRenewal({ host: 'localhost', port, organisation: 'demo', ca: server.rootPem });
    const own = await issuedPair(server, 'device:demo/pump/pump-7');
    const renewed = await renew(own);
    const [newest] = (await server.api.certificates.list('demo', { principal: 'device:demo/pump/pump-7' })).items;
    expect(newest?.principal).toBe('device:demo/pump/pump-7');
    expect(renewed.cert).not.toBe(own.cert);
    await server.api.certificates.revoke('demo', own.id);
    await expect(renew(own)).rejects.toMatchObject({ code: 'certificate_not_renewed' });
    const foreign = await pairOf(await ownAuthority(), 'd:pump:pump-7');
    await expect(renew(foreign)).rejects.toMatchObject({ code: 'certificate_not_renewed' });
  });
});
