import { connectManagement, ManagementFailure } from '@sallyport/application/management';
import { createCertificateRequest, generateKeyPair } from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

describe('an operator whose token was stolen', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ 'enrolment.maximumIssueRate': 1 });
  });
  afterAll(() => server.close());

  it('has certificates and claims issued only as fast as the bound allows, and holds up no other operator', async () => {
    const csr = await createCertificateRequest({ keys: await generateKeyPair(), commonName: 'x' });
    const { token = '' } = await server.api.operators.create({ id: 'ann', role: 'operator' });
    const url = `https://localhost:${server.httpPort}`;
    const ann = connectManagement({ url, token, ca: server.rootPem });
    const issue = (api: typeof ann) => api.certificates.issue('demo', { principal: 'device:demo/pump/pump-7', csr });
    const claim = () => ann.enrolment.issueClaim('demo', { type: 'pump', maximum: 1, csr });
    const answers = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => (n % 4 === 0 ? claim() : issue(ann))),
    );
    const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason as ManagementFailure] : []));
    expect(refused.length).toBeGreaterThan(15);
    for (const one of refused) {
      expect(one).toBeInstanceOf(ManagementFailure);
      expect(one).toMatchObject({ code: 'too_many_requests', retryAfter: expect.any(Number) });
      expect(one.message).toContain('enrolment.maximumIssueRate');
    }
    const { items } = await server.api.certificates.list('demo', { limit: 100 });
    expect(items).toHaveLength(40 - refused.length);
    expect((await issue(server.api)).certificate.kind).toBe('issued');
    ann.close();
  });
});
