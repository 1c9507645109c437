import { afterAll, beforeAll, expect, it } from 'vitest';
import { knock, reasonOf } from '../certificate-clients.ts';
import { EstClient } from '../est-client.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';
const name = { organisation, type: 'pump', id: 'pump-7' };

describeWith(['curl', 'openssl'], 'enrolment over EST', ({ curl = '', openssl = '' }) => {
  let server: TestServer;
  let est: EstClient;
  let port: number;
  let byCertificate: number;
  beforeAll(async () => {
    server = await testServer({ 'listeners.enrolment.enabled': true, 'listeners.enrolment.port': 0 });
    est = new EstClient({ curl, openssl }, server.rootFile);
    port = server.httpPort;
    byCertificate = server.server.enrolmentPort ?? 0;
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
  });
  afterAll(async () => {
    est.close();
    await server.close();
  });

  it('gives out its authorities, those of an organisation by its label', async () => {
    const all = await est.ask({ path: 'cacerts', port });
    expect(all.status).toBe(200);
    expect(all.headers).toContain('content-type: application/pkcs7-mime');
    expect(all.headers).toContain('content-transfer-encoding: base64');
    expect(est.certificates(all, 'all')[0]).toBe(server.rootPem.trim());
    const own = await est.ask({ path: 'demo/cacerts', port });
    expect(est.certificates(own, 'own')).toHaveLength(2);
    est.write('root.pem', server.rootPem);
    expect(est.openssl('verify', '-CAfile', 'root.pem', 'own.pem')).toContain('OK');
    expect((await est.ask({ path: 'nobody/cacerts', port })).status).toBe(404);
  });

  it('enrols a device by its code, renews by the certificate, and both let it in', async () => {
    const { user, code } = await server.api.enrolment.createCode(name, { expiresIn: '1h' });
    const body = est.request('pump-7', '/CN=d:pump:pump-7');
    const first = await est.ask({ port, user: `${user}:${code}`, body });
    expect(first.status, first.body).toBe(200);
    expect(first.headers).toContain('smime-type=certs-only');
    expect(est.certificates(first, 'pump-7')).toHaveLength(1);
    const pair = { key: est.file('pump-7-key.pem'), cert: est.file('pump-7.pem') };
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');

    const again = est.request('renewed', '/CN=d:pump:pump-7');
    const files = ['pump-7.pem', 'pump-7-key.pem'] as const;
    const renewed = await est.ask({ path: 'demo/simplereenroll', port: byCertificate, pair: files, body: again });
    expect(renewed.status, renewed.body).toBe(200);
    est.certificates(renewed, 'renewed');
    const next = { key: est.file('renewed-key.pem'), cert: est.file('renewed.pem') };
    expect(await reasonOf(server, { clientId, ...next })).toBe('admitted');
    const { items } = await server.api.certificates.list(organisation, { principal: 'device:demo/pump/pump-7' });
    expect(items.map(({ createdBy }) => createdBy)).toEqual(['device:demo/pump/pump-7', 'device:demo/pump/pump-7']);
  });

  it.each(['pump/pump-8', 'd:demo:pump:pump-8', 'device:demo/pump/pump-8'])('knows the device as %s', async (user) => {
    const { code } = await server.api.enrolment.createCode({ ...name, id: 'pump-8' });
    const body = est.request('pump-8', '/O=whatever');
    expect((await est.ask({ port, user: `${user}:${code.toLowerCase()}`, body })).status).toBe(200);
  });

  it('enrols new devices by a claim, so many, which can do nothing else', async () => {
    const csr = est.request('claim', '/CN=whatever');
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${csr}\n-----END CERTIFICATE REQUEST-----\n`;
    const { claim, chainPem } = await server.api.enrolment.issueClaim(organisation, {
      type: 'pump',
      maximum: 2,
      csr: pem,
    });
    est.write('claim.pem', chainPem);
    const pair = ['claim.pem', 'claim-key.pem'] as const;
    const enrol = (id: string) => est.ask({ port: byCertificate, pair, body: est.request(id, `/CN=d:pump:${id}`) });

    const one = await enrol('new-1');
    expect(one.status, one.body).toBe(200);
    est.certificates(one, 'new-1');
    const keys = { key: est.file('new-1-key.pem'), cert: est.file('new-1.pem') };
    expect(await reasonOf(server, { clientId: 'd:demo:pump:new-1', ...keys })).toBe('admitted');
    expect((await server.api.devices.get({ ...name, id: 'new-1' })).principal).toBe('device:demo/pump/new-1');

    const itself = { key: est.file('claim-key.pem'), cert: chainPem };
    expect(await reasonOf(server, { clientId: 'd:demo:pump:new-1', ...itself })).toBe('claim_only');
    expect(await reasonOf(server, { clientId: 'whoever', ...itself })).toBe('claim_only');

    expect((await enrol('new-2')).status).toBe(200);
    expect((await enrol('new-3')).status).toBe(403);
    await server.api.certificates.revoke(organisation, claim.certificate.id);
    expect((await enrol('new-4')).status).toBe(403);
  });

  it('ends the session of a certificate that was enrolled when it is revoked', async () => {
    const pair = { key: est.file('pump-7-key.pem'), cert: est.file('pump-7.pem') };
    const { gone, client } = await knock(server, { clientId, ...pair });
    const { items } = await server.api.certificates.list(organisation, { principal: 'device:demo/pump/pump-7' });
    for (const { id } of items) await server.api.certificates.revoke(organisation, id);
    await gone;
    await client.endAsync(true);
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_revoked');
  });
});
