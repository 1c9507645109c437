import { once } from 'node:events';
import { request } from 'node:https';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { EstClient } from '../est-client.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const name = { organisation: 'demo', type: 'pump', id: 'pump-7' };

describeWith(['curl', 'openssl'], 'a request for a certificate', ({ curl = '', openssl = '' }) => {
  let server: TestServer;
  let est: EstClient;
  let code: string;
  beforeAll(async () => {
    server = await testServer();
    est = new EstClient({ curl, openssl }, server.rootFile);
  });
  beforeEach(async () => {
    ({ code } = await server.api.enrolment.createCode(name));
  });
  afterAll(async () => {
    est.close();
    await server.close();
  });

  const ask = (body: string, more: { readonly type?: string; readonly method?: string } = {}) =>
    est.ask({ port: server.httpPort, user: `pump/pump-7:${code}`, body, ...more });

  async function notIssued(body: string, status: number, reason: string | undefined, text: string) {
    const answer = await ask(body);
    expect(answer.status, answer.body).toBe(status);
    const problem = JSON.parse(answer.body) as { ticket?: string; detail: string };
    expect(problem.detail).toContain(text);
    if (reason !== undefined) expect((await server.api.explainTicket(problem.ticket ?? '')).reason).toBe(reason);
    expect((await server.api.certificates.list('demo', {})).items).toHaveLength(0);
  }

  it('must be signed with the key that it is for', async () => {
    const der = Buffer.from(est.request('forged', '/CN=d:pump:pump-7'), 'base64');
    const key = Buffer.from(est.request('other', '/CN=d:pump:pump-7'), 'base64');
    const at = der.indexOf(Buffer.from([0x03, 0x42, 0x00, 0x04]));
    const from = key.indexOf(Buffer.from([0x03, 0x42, 0x00, 0x04]));
    key.copy(der, at, from, from + 68);
    await notIssued(
      der.toString('base64'),
      400,
      'enrolment_request_invalid',
      'signature of the certificate request is wrong',
    );
  });

  it.each([
    ['RSA with 1024 bits', ['rsa:1024'], 'too short'],
    ['a curve that nobody asked for', ['ec', '-pkeyopt', 'ec_paramgen_curve:secp112r1'], 'not supported'],
  ])('must not have a weak key: %s', async (_, key, text) => {
    await notIssued(est.request('weak', '/CN=d:pump:pump-7', key), 400, 'enrolment_request_invalid', text);
  });

  it.each([
    '/CN=d:pump:pump-8',
    '/CN=g:pump:pump-7',
    '/CN=a:desk',
    '/CN=d:pump:',
    '/CN=d:other:pump:pump-7',
    '/CN=claim:pump',
  ])('must not ask for the name of somebody else: %s', async (subject) => {
    await notIssued(est.request('name', subject), 400, 'enrolment_name_mismatch', 'another name');
  });

  it.each([
    ['nothing', '', 'not Base64'],
    ['no Base64', '<xml/>', 'not Base64'],
    ['Base64 of something else', Buffer.from('{}').toString('base64'), 'not a certificate request'],
    ['PEM lines', '-----BEGIN CERTIFICATE REQUEST-----', 'not Base64'],
  ])('must be one: %s', async (_, body, text) => {
    await notIssued(body, 400, 'enrolment_request_invalid', text);
  });

  it('must have no bytes after its end', async () => {
    const der = Buffer.concat([Buffer.from(est.request('tail', '/O=x'), 'base64'), Buffer.from([0, 0])]);
    await notIssued(der.toString('base64'), 400, 'enrolment_request_invalid', 'not a certificate request');
  });

  it('must not be larger than any honest one', async () => {
    // Announced only: the answer comes before a byte of it is taken.
    const announced = request({
      host: 'localhost',
      port: server.httpPort,
      ca: server.rootPem,
      method: 'POST',
      path: '/.well-known/est/simpleenroll',
      auth: `pump/pump-7:${code}`,
      headers: { 'content-type': 'application/pkcs10', 'content-length': '40000' },
    });
    announced.flushHeaders();
    const [{ statusCode }] = (await once(announced, 'response')) as [{ statusCode: number }];
    announced.destroy();
    expect(statusCode).toBe(413);
  });

  it('must be of the type of EST, by POST', async () => {
    const body = est.request('type', '/CN=d:pump:pump-7');
    expect((await ask(body, { type: 'application/json' })).status).toBe(415);
    expect((await ask(body, { type: 'text/plain' })).status).toBe(415);
    expect((await ask(body, { method: 'PUT' })).status).toBe(404);
    expect((await est.ask({ port: server.httpPort, path: 'serverkeygen', body })).status).toBe(404);
    expect((await est.ask({ port: server.httpPort, path: '..%2fapi/simpleenroll', body })).status).toBe(401);
  });

  it('leaves the code good for a request that is mended, ten times', async () => {
    for (let turn = 0; turn < 3; turn++) expect((await ask('AAAA')).status).toBe(400);
    expect((await ask(est.request('good', '/CN=d:pump:pump-7'))).status).toBe(200);
  });
});
