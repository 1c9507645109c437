import { afterAll, beforeAll, expect, it } from 'vitest';
import { reasonOf } from '../certificate-clients.ts';
import { EstClient } from '../est-client.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';

describeWith(['curl', 'openssl'], 'a claim certificate that was stolen', ({ curl = '', openssl = '' }) => {
  let server: TestServer;
  let est: EstClient;
  let itself: { key: string; cert: string };
  beforeAll(async () => {
    server = await testServer({ 'listeners.enrolment.enabled': true, 'listeners.enrolment.port': 0 });
    est = new EstClient({ curl, openssl }, server.rootFile);
    const csr = requestPem(est.request('claim', '/CN=d:pump:pump-7'));
    const issued = await server.api.enrolment.issueClaim(organisation, { type: 'pump', maximum: 3, csr });
    est.write('claim.pem', issued.chainPem);
    itself = { key: est.file('claim-key.pem'), cert: issued.chainPem };
  });
  afterAll(async () => {
    est.close();
    await server.close();
  });

  const requestPem = (base64: string) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
  const enrol = (subject: string, path = 'simpleenroll') =>
    est.ask({
      port: server.server.enrolmentPort ?? 0,
      path,
      pair: ['claim.pem', 'claim-key.pem'],
      body: est.request('wanted', subject),
    });

  it('does not get a certificate for a device that exists, so it speaks for none', async () => {
    const { status, body } = await enrol('/CN=d:pump:pump-7');
    expect(status).toBe(403);
    const { ticket } = JSON.parse(body) as { ticket: string };
    expect((await server.api.explainTicket(ticket)).reason).toBe('claim_not_good');
    expect((await server.api.certificates.list(organisation, { principal: 'device:demo/pump/pump-7' })).items).toEqual(
      [],
    );
  });

  it.each([
    '/CN=d:hub:hub-9',
    '/CN=g:pump:x',
    '/CN=a:desk',
    '/CN=d:other:pump:x',
    '/CN=d:pump:',
    '/O=none',
    '/CN=..%2f',
  ])('does not enrol %s, which is of another type, kind or organisation', async (subject) => {
    expect((await enrol(subject)).status).toBe(400);
  });

  it('does not reach another organisation by the address', async () => {
    expect((await enrol('/CN=d:pump:x', 'other/simpleenroll')).status).toBe(403);
  });

  it('cannot connect, with any client id, at any level', async () => {
    for (const security of ['tls-certificate', 'tls-certificate-or-token', 'tls-optional'] as const) {
      await server.api.types.update({ organisation, id: 'pump' }, { security });
      expect(await reasonOf(server, { clientId: 'd:demo:pump:pump-7', ...itself })).toBe('claim_only');
      const token = server.tokens['pump-7'] ?? '';
      expect(await reasonOf(server, { clientId: 'd:demo:pump:pump-7', token, ...itself })).toBe('claim_only');
    }
    expect(await reasonOf(server, { clientId: 'whoever', ...itself })).toBe('claim_only');
    const serverName = 'demo.messaging.test';
    expect(await reasonOf(server, { clientId: 'd:demo:pump:pump-7', serverName, ...itself })).toBe('claim_only');
  });

  it('does not enrol more than it was made for, not even at once', async () => {
    const clients = [1, 2, 3, 4, 5].map(() => new EstClient({ curl, openssl }, server.rootFile));
    const port = server.server.enrolmentPort ?? 0;
    const answers = await Promise.all(
      clients.map((client, index) => {
        client.write('claim.pem', itself.cert);
        client.write('claim-key.pem', itself.key);
        const body = client.request('many', `/CN=many-${index}`);
        return client.ask({ port, pair: ['claim.pem', 'claim-key.pem'], body });
      }),
    );
    for (const client of clients) client.close();
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 200, 403, 403]);
    const { items } = await server.api.devices.listOfType({ organisation, id: 'pump' });
    expect(items.filter(({ id }) => id.startsWith('many-'))).toHaveLength(3);
  });

  it('is made for types of devices only: gateways would hand out their rights', async () => {
    const csr = requestPem(est.request('hubs', '/O=x'));
    await expect(server.api.enrolment.issueClaim(organisation, { type: 'hub', maximum: 1, csr })).rejects.toMatchObject(
      {
        code: 'invalid_request',
        message: expect.stringContaining('type of gateways'),
      },
    );
  });
});
