import { once } from 'node:events';
import { connect } from 'node:net';
import { createOcspRequest, ocspIssuerNames, readCertificate } from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
let base: string;
let request: Uint8Array<ArrayBuffer>;
let list: string;
beforeAll(async () => {
  server = await testServer({ 'listeners.revocationHttp.enabled': true, 'listeners.revocationHttp.port': 0 });
  base = `http://127.0.0.1:${server.server.revocationPort}`;
  const { cert } = await issuedPair(server, 'device:demo/pump/pump-7');
  const [leaf = '', issuer = ''] = cert.split(/(?<=-----END CERTIFICATE-----\n)/);
  const read = await Promise.all([readCertificate(leaf), readCertificate(issuer)]);
  if (!read[0].ok || !read[1].ok) throw new Error('unreadable');
  request = createOcspRequest({ issuer: await ocspIssuerNames(read[1].value.der), serial: read[0].value.serial });
  list = `${base}/pki/crl/${read[1].value.fingerprintSha256.slice(0, 16)}.crl`;
});
afterAll(() => server.close());

const post = (body: Uint8Array<ArrayBuffer>, type = 'application/ocsp-request') =>
  fetch(`${base}/pki/ocsp`, { method: 'POST', body, headers: { 'content-type': type } });

describe('a stranger who asks for what is published', () => {
  it('gets an error of the protocol for what is no request, and none that helps him', async () => {
    for (const bytes of [[], [0x30, 0x80], new Array(3000).fill(0x30), [0x30, 0x84, 0xff, 0xff, 0xff, 0xff]]) {
      const answer = await post(Uint8Array.from(bytes));
      expect(answer.status).toBe(200);
      // OCSPResponse with the status malformedRequest and nothing else.
      expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0x30, 0x03, 0x0a, 0x01, 0x01]);
    }
    expect((await post(request, 'text/plain')).status).toBe(415);
  });

  it('cannot send more than a request has', async () => {
    for (const url of [`${base}/pki/ocsp`, `${base}/pki/ocsp/${'A'.repeat(20_000)}`]) {
      const body = url.endsWith('ocsp') ? new Uint8Array(1_000_000) : undefined;
      const answer = await fetch(url, {
        method: body ? 'POST' : 'GET',
        headers: { 'content-type': 'application/ocsp-request' },
        ...(body ? { body } : {}),
      }).then(
        ({ status }) => status,
        () => 'cut',
      );
      expect([400, 413, 431, 'cut']).toContain(answer);
    }
  });

  it('finds nothing else there: no API, no other file, no way up', async () => {
    for (const path of [
      '/api/v1/health',
      '/',
      '/pki',
      '/pki/crl/',
      '/pki/ca/../../registry.db',
      '/pki/crl/%2e%2e.crl',
      '/pki/ca/0000000000000000.crt',
    ]) {
      expect((await fetch(`${base}${path}`)).status).toBe(404);
    }
  });

  it('gets the same answer again without a new signature, and the same list', async () => {
    const bytes = async (answer: Response) => Buffer.from(await answer.arrayBuffer()).toString('hex');
    const first = await bytes(await post(request));
    expect(await bytes(await post(request))).toBe(first);
    const one = await bytes(await fetch(list));
    expect(await bytes(await fetch(list))).toBe(one);
  });

  it('is asked to wait when it asks too often', async () => {
    const codes = new Set<number>();
    for (let round = 0; round < 100 && !codes.has(429); round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(request)));
      for (const { status } of answers) codes.add(status);
    }
    expect(codes).toEqual(new Set([200, 429]));
  });

  it('does not hold a connection open by silence', async () => {
    const socket = connect(server.server.revocationPort ?? 0, '127.0.0.1');
    socket.write('POST /pki/ocsp HTTP/1.1\r\nhost: x\r\n');
    socket.resume();
    await once(socket, 'close');
  }, 60_000);
});
