import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { connectManagement, everyItem, type Management } from '@sallyport/application/management';
import { Failure } from '@sallyport/model';
import { createRootAuthority, generateKeyPair, issueServerCertificate, keyPairToPem } from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secureContextOptions } from '../../src/listeners/secure-settings.ts';
import { openTestApi, type TestApi } from './test-api.ts';

let api: TestApi;
let port: number;
let root: string;
let client: Management;

beforeAll(async () => {
  const now = Date.now();
  const authority = await createRootAuthority({ commonName: 'Test root', now, validity: 3_600_000 });
  const keys = await generateKeyPair();
  const certificate = await issueServerCertificate({
    authority,
    publicKey: keys.publicKey,
    now,
    dnsNames: ['localhost'],
  });
  root = authority.pem;
  api = await openTestApi({
    tls: secureContextOptions({ key: await keyPairToPem(keys), cert: certificate.chainPem, ca: root }, 'TLSv1.2'),
  });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  port = (api.app.server.address() as AddressInfo).port;
  client = connectManagement({ url: `https://localhost:${port}`, token: api.tokens.administrator, ca: root });
});
afterAll(async () => {
  client.close();
  await api.close();
});

/** Everything that comes back for some raw bytes, until the server closes. */
async function raw(bytes: string, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: root, ...options });
  await once(socket, 'secureConnect');
  socket.write(bytes);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe('the client and the server', () => {
  test('agree on every noun', async () => {
    expect(await client.health()).toEqual({ status: 'ok', parts: { registry: 'ok' } });
    expect((await client.whoAmI()).role).toBe('administrator');
    expect(await client.metrics()).toContain('sallyport_sessions');
    expect((await client.openapi()).openapi).toBe('3.1.0');

    await client.organisations.create({ id: 'demo', name: 'Demo' });
    await client.types.create({ organisation: 'demo', id: 'pump', description: 'Pumps' });
    const name = { organisation: 'demo', type: 'pump', id: 'pump-7' };
    const created = await client.devices.create({ ...name, expiresIn: '90d' });
    expect(created.token).toBeDefined();
    expect(await client.devices.get(name)).toEqual(created.device);
    const issued = await client.devices.credentials.issue(name, {
      password: { username: 'seven', password: 'correct horse' },
    });
    expect((await client.devices.credentials.revoke(name, issued.credential.id)).revokedBy).toBe(
      'operator:administrator',
    );
    expect((await client.devices.credentials.list(name)).items).toHaveLength(2);
    expect((await client.devices.suspend(name)).suspendedAt).toBeDefined();
    expect((await client.devices.resume(name)).suspendedAt).toBeUndefined();
    expect((await client.devices.update(name, { description: null, metadata: { wells: 2 } })).metadata).toEqual({
      wells: 2,
    });

    const desk = await client.applications.create({ organisation: 'demo', id: 'desk', role: 'standard' });
    expect(desk.application.key).toMatch(/^a-demo-/);
    const ann = await client.operators.create({ id: 'ann', role: 'reader', expiresIn: '1d' });
    const reader = connectManagement({ url: `https://localhost:${port}`, token: ann.token ?? '', ca: root });
    await expect(reader.organisations.remove('demo')).rejects.toMatchObject({ code: 'forbidden', status: 403 });
    reader.close();

    const ids: string[] = [];
    for await (const device of everyItem((page) => client.devices.list('demo', page))) ids.push(device.id);
    expect(ids).toEqual(['pump-7']);
    expect((await client.devices.listGateways('demo')).items).toEqual([]);
  });

  test('agree on policies, explanations and the audit trail', async () => {
    await client.organisations.create({ id: 'other' });
    const text =
      'statements:\n  - { id: lab, effect: permit, principals: ["device:*"], actions: [publish], resources: ["lab/#"] }\n';
    expect(await client.policies.check('other', text)).toEqual({ ok: true, problems: [], broad: [] });
    const saved = await client.policies.put('other', text, { over: 0 });
    await expect(client.policies.put('other', text, { over: 0 })).rejects.toMatchObject({ code: 'changed_meanwhile' });
    expect((await client.policies.version('other', saved.version)).text).toBe(text);
    expect((await client.policies.versions('other')).items).toHaveLength(1);
    expect(await client.policies.builtin()).toContain('statements:');

    const question = { as: 'device:other/pump/p1', action: 'publish', resource: 'lab/a' } as const;
    expect((await client.explain(question)).question).toEqual(question);
    const nobody = connectManagement({ url: `https://localhost:${port}`, ca: root });
    const refused = await nobody.whoAmI().catch((error: unknown) => error as Failure & { ticket: string });
    nobody.close();
    expect(refused).toMatchObject({ code: 'unauthenticated' });
    const { ticket } = refused as { ticket: string };
    expect((await client.explainTicket(ticket)).reason).toBe('missing_credential');
    expect((await client.refusals({ limit: 5 })).items.map((one) => one.ticket)).toContain(ticket);
    expect((await client.audit({ type: 'device.*' })).items).toHaveLength(1);
    expect((await client.sessions.list('other')).items).toEqual([]);
    await expect(client.sessions.close('other', 'x/y')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a wrong field comes back named', async () => {
    const failure = await client.types
      .create({ organisation: 'demo', id: 'a b' })
      .catch((error: unknown) => error as Failure & { errors: readonly object[] });
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: 'invalid_request', errors: [{ path: 'body/id' }] });
  });
});

describe('the wire', () => {
  test('TLS 1.2 and 1.3 are spoken, with authenticated encryption only', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const answer = await raw('GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', {
        minVersion: version,
        maxVersion: version,
      });
      expect(answer).toMatch(/^HTTP\/1.1 200/);
    }
    const weak: ConnectionOptions[] = [
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA' },
    ];
    for (const options of weak) await expect(raw('', options)).rejects.toThrow();
  });

  test.each([
    ['bytes that are no HTTP', 'hello\r\n\r\n', 400],
    ['headers without an end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 413],
  ])('%s are answered with a problem', async (_, bytes, status) => {
    const answer = await raw(bytes);
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer).toContain('content-type: application/problem+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toMatchObject({ status });
  });
});
