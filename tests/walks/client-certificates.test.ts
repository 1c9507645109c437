import { execFile, execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pemOf } from '@sallyport/trust';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { issuedPair, ownAuthority, type Pair, pairOf } from '../certificate-clients.ts';
import { ask, scope } from '../oauth-client.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';
const COMMANDS = scope('publish', 'iot-2/type/pump/id/+/cmd/+/fmt/+');

let server: TestServer;
let opaque: TestServer;
let desk: Pair & { readonly id: string };
let pump: Pair;
beforeAll(async () => {
  const overrides = {
    'authorizationServer.organisations': ['demo'],
    'listeners.enrolment.enabled': true,
    'listeners.enrolment.port': 0,
  };
  server = await testServer(overrides);
  opaque = await testServer({ ...overrides, 'authorizationServer.accessTokens': 'opaque' });
  desk = await issuedPair(server, 'application:demo/desk');
  pump = await issuedPair(server, 'device:demo/pump/pump-7');
});
afterAll(() => Promise.all([server.close(), opaque.close()]));

const doorOf = (of: TestServer) => ({ rootPem: of.rootPem, httpPort: of.server.enrolmentPort ?? 0 });
const thumbprint = ({ cert }: Pair) => createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
const fetchToken = (
  pair: Pair | undefined,
  clientId = 'desk',
  of = server,
  more: Readonly<Record<string, string>> = {},
) =>
  ask(doorOf(of), '/oauth/demo/token', {
    form: { grant_type: 'client_credentials', client_id: clientId, ...more },
    ...(pair && { pair }),
  });

async function login(
  token: unknown,
  pair: Pair | undefined,
  clientId = 'a:demo:desk',
  of = server,
): Promise<RawClient | number> {
  const client = await RawClient.dial(of, 5, false, pair ? { pair } : {});
  const { reasonCode } = await client.connect({
    clientId,
    username: 'use-access-token',
    password: Buffer.from(String(token)),
    keepAlive: 0,
  });
  return reasonCode === 0 ? client : (reasonCode ?? -1);
}

describe('a client that proves itself by certificate', () => {
  it('learns from the metadata where that is', async () => {
    const { json } = await ask(server, '/oauth/demo/.well-known/oauth-authorization-server');
    expect(json.token_endpoint_auth_methods_supported).toEqual(
      expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
    );
    expect(json.tls_client_certificate_bound_access_tokens).toBe(true);
    expect(json.mtls_endpoint_aliases).toMatchObject({
      token_endpoint: `https://localhost:${server.server.enrolmentPort}/oauth/demo/token`,
    });
  });

  it('gets a token that is bound to it, and worth nothing on another connection', async () => {
    const { status, json } = await fetchToken(desk, 'desk', server, { scope: COMMANDS });
    expect(status).toBe(200);
    expect(json.refresh_token).toBeUndefined();
    expect(decodeJwt(String(json.access_token))).toMatchObject({
      sub: 'application:desk',
      iss: `https://localhost:${server.httpPort}/oauth/demo`,
      cnf: { 'x5t#S256': thumbprint(desk) },
    });
    const client = await login(json.access_token, desk);
    expect(client).toBeInstanceOf(RawClient);
    (client as RawClient).publish(COMMAND, '{}', { qos: 1 });
    expect((await (client as RawClient).take('puback')).reasonCode).toBeLessThan(0x80);
    expect(await login(json.access_token, undefined)).toBe(0x87);
    expect(await login(json.access_token, pump)).toBe(0x87);
  });

  it('may be a device, which then needs nobody to approve it', async () => {
    const { status, json } = await fetchToken(pump, 'd:demo:pump:pump-7');
    expect(status).toBe(200);
    expect(decodeJwt(String(json.access_token)).sub).toBe('device:pump/pump-7');
    expect(await login(json.access_token, pump, 'd:demo:pump:pump-7')).toBeInstanceOf(RawClient);
    expect(await login(json.access_token, undefined, 'd:demo:pump:pump-7')).toBe(0x87);
  });

  it('may have one that is pinned to it, whoever signed that', async () => {
    const own = await pairOf(await ownAuthority('Nobody knows me'), 'whatever it says');
    expect((await fetchToken(own, 'tap')).json.error).toBe('invalid_client');
    const [certificate = ''] = own.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    await server.api.certificates.pin('demo', { principal: 'application:demo/tap', certificate });
    const { status, json } = await fetchToken(own, 'tap');
    expect(status).toBe(200);
    expect(decodeJwt(String(json.access_token))).toMatchObject({
      sub: 'application:tap',
      cnf: { 'x5t#S256': thumbprint(own) },
    });
  });

  it('may have one of an authority that its organisation trusts', async () => {
    const authority = await ownAuthority();
    const pair = await pairOf(authority, 'a:lab');
    expect((await fetchToken(pair, 'lab')).json.error).toBe('invalid_client');
    await server.api.authorities.add('demo', pemOf('CERTIFICATE', authority.certificate.der));
    expect((await fetchToken(pair, 'lab')).status).toBe(200);
    expect((await fetchToken(pair, 'desk')).json.error).toBe('invalid_client');
  });

  it('gets bound tokens with a secret too, if it shows a certificate', async () => {
    const secret = { client_secret: server.tokens.desk ?? '' };
    const { json } = await fetchToken(desk, 'desk', server, secret);
    expect(decodeJwt(String(json.access_token)).cnf).toEqual({ 'x5t#S256': thumbprint(desk) });
    expect(
      decodeJwt(String((await fetchToken(undefined, 'desk', server, secret)).json.access_token)).cnf,
    ).toBeUndefined();
  });

  it('asks about tokens and revokes them in the same way', async () => {
    const pair = await issuedPair(opaque, 'application:demo/desk');
    const { json } = await fetchToken(pair, 'desk', opaque);
    const form = { client_id: 'desk', token: String(json.access_token) };
    const asked = () => ask(doorOf(opaque), '/oauth/demo/token/introspection', { form, pair });
    expect((await asked()).json).toMatchObject({ active: true, cnf: { 'x5t#S256': thumbprint(pair) } });
    expect(await login(json.access_token, pair, 'a:demo:desk', opaque)).toBeInstanceOf(RawClient);
    expect(await login(json.access_token, undefined, 'a:demo:desk', opaque)).toBe(0x87);
    expect((await ask(doorOf(opaque), '/oauth/demo/token/revocation', { form, pair })).status).toBe(200);
    expect((await asked()).json).toEqual({ active: false });
  });

  it('gets none any more as soon as its certificate is revoked, and the refusal says why', async () => {
    await server.api.certificates.revoke('demo', desk.id);
    const { status, json } = await fetchToken(desk);
    expect([status, json.error]).toEqual([401, 'invalid_client']);
    const { items } = await server.api.refusals({ organisation: 'demo' });
    const rejected = items.filter(({ reason }) => reason === 'oauth_certificate_rejected');
    const texts = rejected.flatMap(({ steps }) => steps.map(({ text }) => text));
    expect(texts.some((text) => /was revoked by operator:/.test(text))).toBe(true);
    expect(rejected[0]).toMatchObject({ clientId: 'desk', listener: 'enrolment' });
  });
});

describeWith(['curl', 'openssl'], 'with programs of others', ({ curl = '', openssl = '' }) => {
  it('curl fetches a token with a certificate whose key openssl has made', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-mtls-'));
    try {
      const subject = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'];
      execFileSync(openssl, ['req', '-new', ...subject, '-keyout', 'key.pem', '-out', 'csr.pem'], { cwd: folder });
      const csr = readFileSync(join(folder, 'csr.pem'), 'utf8');
      const { chainPem } = await server.api.certificates.issue('demo', { principal: 'application:demo/lab', csr });
      writeFileSync(join(folder, 'cert.pem'), chainPem);
      const sent = ['-d', 'grant_type=client_credentials', '-d', 'client_id=lab'];
      const { stdout } = await promisify(execFile)(
        curl,
        [
          ...['-sS', '--cacert', server.rootFile, '--cert', 'cert.pem', '--key', 'key.pem', ...sent],
          `https://localhost:${server.server.enrolmentPort}/oauth/demo/token`,
        ],
        { cwd: folder, encoding: 'utf8' },
      );
      const { access_token } = JSON.parse(stdout) as { access_token: string };
      expect(decodeJwt(access_token).sub).toBe('application:lab');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
