import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { issuedPair } from '../certificate-clients.ts';
import { EstClient } from '../est-client.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const PUMP = 'device:demo/pump/pump-7';
const name = { organisation: 'demo', type: 'pump', id: 'pump-7' };

describeWith(['curl', 'openssl'], 'who wants a certificate that is not theirs', ({ curl = '', openssl = '' }) => {
  let server: TestServer;
  let est: EstClient;
  let body: string;
  beforeAll(() => {
    est = new EstClient({ curl, openssl }, '');
    body = est.request('any', '/O=any');
    est.close();
  });
  beforeEach(async () => {
    server = await testServer({ 'listeners.enrolment.enabled': true, 'listeners.enrolment.port': 0 });
    est = new EstClient({ curl, openssl }, server.rootFile);
  });
  afterEach(async () => {
    est.close();
    await server.close();
  });
  afterAll(() => est.close());

  const ask = (user?: string, path = 'simpleenroll') =>
    est.ask({ port: server.httpPort, path, body, ...(user === undefined ? {} : { user }) });
  /** The status, and the exact reason that only operators can see. */
  async function refused(user?: string, path?: string): Promise<string> {
    const { status, body: text } = await ask(user, path);
    const { ticket, detail } = JSON.parse(text) as { ticket: string; detail: string };
    expect(detail).toBe('No enrolment code or client certificate was shown, or it is not valid.');
    return `${status} ${(await server.api.explainTicket(ticket)).reason}`;
  }
  async function onRecord(): Promise<number> {
    return (await server.api.certificates.list('demo', {})).items.length;
  }

  it('learns nothing from the answer about which devices and codes there are', async () => {
    const { code } = await server.api.enrolment.createCode(name);
    expect(await refused()).toBe('401 missing_credential');
    expect(await refused('pump/pump-7:AAAAA-AAAAA-AAAAA-AAAAA')).toBe('401 enrolment_code_wrong');
    expect(await refused('pump/nobody:AAAAA-AAAAA-AAAAA-AAAAA')).toBe('401 enrolment_code_wrong');
    expect(await refused(`pump/pump-8:${code}`)).toBe('401 enrolment_code_wrong');
    expect(await refused(`pump/pump-7:${code}`, 'other/simpleenroll')).toBe('401 enrolment_code_wrong');
    expect(await onRecord()).toBe(0);
    expect((await ask(`pump/pump-7:${code}`)).status).toBe(200);
  });

  it('cannot use a code twice, after its end, or after another was made', async () => {
    const first = await server.api.enrolment.createCode(name);
    const second = await server.api.enrolment.createCode(name);
    expect(await refused(`pump/pump-7:${first.code}`)).toBe('401 enrolment_code_wrong');
    const both = await Promise.all([ask(`pump/pump-7:${second.code}`), est2()]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 401]);
    expect(await refused(`pump/pump-7:${second.code}`)).toBe('401 enrolment_code_used');
    expect(await onRecord()).toBe(1);

    const expiresAt = Date.now() + 20;
    const { code } = await server.server.registry.enrolment.createCode({ principal: PUMP, expiresAt, by: 'system' });
    while (Date.now() <= expiresAt) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await refused(`pump/pump-7:${code}`)).toBe('401 enrolment_code_expired');
    const { code: ended } = await server.api.enrolment.createCode(name);
    await server.api.enrolment.revokeCode(name);
    expect(await refused(`pump/pump-7:${ended}`)).toBe('401 enrolment_code_wrong');

    function est2() {
      const other = new EstClient({ curl, openssl }, server.rootFile);
      return other
        .ask({ port: server.httpPort, body, user: `pump/pump-7:${second.code}` })
        .finally(() => other.close());
    }
  });

  it('is not let in for a device that is suspended or gone', async () => {
    const { code } = await server.api.enrolment.createCode(name);
    await server.api.devices.suspend(name);
    const { body: text } = await ask(`pump/pump-7:${code}`);
    const { ticket } = JSON.parse(text) as { ticket: string };
    expect((await server.api.explainTicket(ticket)).reason).toBe('principal_suspended');
    await server.api.devices.remove(name);
    await server.api.devices.create({ ...name, withoutToken: true });
    expect(await refused(`pump/pump-7:${code}`)).toBe('401 enrolment_code_wrong');
  });

  it('finds a code that fell into wrong hands worthless after ten wrong names', async () => {
    const { code } = await server.api.enrolment.createCode(name);
    for (let turn = 0; turn < 10; turn++) expect(await refused(`pump/pump-8:${code}`)).toContain('code_wrong');
    expect(await refused(`pump/pump-7:${code}`)).toBe('401 enrolment_code_exhausted');
  });

  it('has to wait after too many attempts, whatever it shows then', async () => {
    const { code } = await server.api.enrolment.createCode(name);
    let status = 401;
    for (let turn = 0; turn < 60 && status === 401; turn++) ({ status } = await ask('pump/pump-7:GUESS'));
    expect(status).toBe(429);
    const { status: late, headers } = await ask(`pump/pump-7:${code}`);
    expect(late).toBe(429);
    expect(headers).toMatch(/retry-after: \d/);
    expect(await onRecord()).toBe(0);
  });

  it('cannot renew with a certificate of a stranger, of another organisation, or one that ended', async () => {
    const port = server.server.enrolmentPort ?? 0;
    const renew = (path = 'simplereenroll') => est.ask({ port, path, body, pair: ['own.pem', 'own-key.pem'] });
    est.openssl(
      ...'req -x509 -newkey rsa:2048 -nodes -keyout own-key.pem -out own.pem -subj /CN=d:pump:pump-7'.split(' '),
    );
    expect((await renew()).status).toBe(403);

    const pair = await issuedPair(server, PUMP);
    est.write('own.pem', pair.cert);
    est.write('own-key.pem', pair.key);
    expect((await renew('other/simplereenroll')).status).toBe(403);
    expect((await renew()).status).toBe(200);
    await server.api.certificates.revoke('demo', pair.id);
    expect((await renew()).status).toBe(403);
  });

  it('is not asked for a certificate by the door of the API, and cannot use one there', async () => {
    const pair = await issuedPair(server, PUMP);
    est.write('own.pem', pair.cert);
    est.write('own-key.pem', pair.key);
    const files = ['own.pem', 'own-key.pem'] as const;
    const answer = await est.ask({ port: server.httpPort, path: 'simplereenroll', body, pair: files });
    expect(answer.status).toBe(401);
  });

  it('never finds a code in the audit trail, the refusals or the database', async () => {
    const { code } = await server.api.enrolment.createCode(name);
    await ask(`pump/pump-8:${code}`);
    const { readFileSync, readdirSync } = await import('node:fs');
    const { join } = await import('node:path');
    const seen = JSON.stringify([await server.api.audit({ limit: 500 }), await server.api.refusals({ limit: 500 })]);
    for (const form of [code, code.replaceAll('-', '')]) {
      expect(seen).not.toContain(form);
      for (const file of readdirSync(server.directory, { withFileTypes: true }).filter((entry) => entry.isFile())) {
        expect(readFileSync(join(server.directory, file.name)).includes(form), file.name).toBe(false);
      }
    }
  });
});
