import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair, ownAuthority, type Pair, pairOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';
import { TokenIssuer } from '../token-issuer.ts';
import { RawClient } from './raw-client.ts';

const clientId = 'd:demo:pump:pump-7';

let server: TestServer;
let issuer: TokenIssuer;
let own: Pair;
let others: Pair;
beforeAll(async () => {
  server = await testServer();
  issuer = await TokenIssuer.open();
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    jwksUrl: `${issuer.url}/jwks`,
    principal: 'device:{sub}',
  });
  own = await issuedPair(server, 'device:demo/pump/pump-7');
  others = await issuedPair(server, 'device:demo/pump/pump-8');
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

function thumbprint({ cert }: Pair): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
}

function bound(pair: Pair, changes: object = {}): string {
  return issuer.sign({ sub: 'pump/pump-7', cnf: { 'x5t#S256': thumbprint(pair) }, ...changes });
}

async function reasonFor(token: string, pair: Partial<Pair> = {}, method = false): Promise<string> {
  const client = await RawClient.dial(server, 5, false, { pair });
  const password = Buffer.from(token);
  const answer = await client.connect(
    method
      ? { clientId, properties: { authenticationMethod: 'ACCESS-TOKEN', authenticationData: password } }
      : { clientId, username: 'use-access-token', password },
  );
  await client.vanish();
  if (answer.reasonCode === 0) return 'accepted';
  return (await server.api.explainTicket(answer.properties?.reasonString?.replace('ticket ', '') ?? '')).reason;
}

describe.each([false, true])('a token bound to a certificate (by AUTH: %s)', (method) => {
  it('is taken on a connection with that certificate', async () => {
    expect(await reasonFor(bound(own), own, method)).toBe('accepted');
  });

  it('is worth nothing without it, or with another one', async () => {
    expect(await reasonFor(bound(own), {}, method)).toBe('access_token_other_certificate');
    expect(await reasonFor(bound(own), others, method)).toBe('access_token_other_certificate');
    const stranger = await pairOf(await ownAuthority(), 'd:pump:pump-7');
    expect(await reasonFor(bound(own), stranger, method)).toBe('access_token_other_certificate');
  });

  it('is worth nothing if what it is bound to is not understood', async () => {
    for (const cnf of [
      {},
      { jwk: {} },
      { 'x5t#S256': 7 },
      { 'x5t#S256': thumbprint(own), jkt: 'x' },
      { 'x5t#s256': thumbprint(own) },
    ]) {
      expect(await reasonFor(issuer.sign({ sub: 'pump/pump-7', cnf }), own, method)).toBe(
        'access_token_other_certificate',
      );
    }
  });
});

describe('an issuer of bound tokens only', () => {
  it('is not believed about a token that is bound to nothing', async () => {
    await server.api.issuers.update('demo', 'plant', { requireBound: true });
    expect(await reasonFor(issuer.sign({ sub: 'pump/pump-7' }), own)).toBe('access_token_not_bound');
    expect(await reasonFor(bound(own), own)).toBe('accepted');
    await server.api.issuers.update('demo', 'plant', { requireBound: false });
  });
});

describe('a session', () => {
  it('is not renewed by a token that is bound to another certificate', async () => {
    const client = await RawClient.dial(server, 5, false, { pair: own });
    const auth = (token: string) => ({ authenticationMethod: 'ACCESS-TOKEN', authenticationData: Buffer.from(token) });
    expect((await client.connect({ clientId, properties: auth(bound(own)) })).reasonCode).toBe(0);
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth(bound(own)) });
    expect((await client.take('auth')).reasonCode).toBe(0);
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth(bound(others)) });
    expect((await client.take('disconnect')).reasonCode).toBe(0x87);
    await client.gone;
  });

  it('has the rights and the end of its token even where its certificate alone would do', async () => {
    await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate-or-token' });
    const client = await RawClient.dial(server, 5, false, { pair: own });
    const token = bound(own, { scope: 'mqtt:publish:iot-2/evt/status/fmt/json' });
    const login = { clientId, username: 'use-access-token', password: Buffer.from(token) };
    expect((await client.connect(login)).reasonCode).toBe(0);
    client.publish('iot-2/evt/status/fmt/json', '{}', { qos: 1 });
    expect((await client.take('puback')).reasonCode).not.toBe(0x87);
    client.publish('iot-2/evt/other/fmt/json', '{}', { qos: 1 });
    expect((await client.take('puback')).reasonCode).toBeGreaterThanOrEqual(0x80);
    await client.vanish();
    expect(await reasonFor(bound(own, { iat: 0, exp: 1 }), own)).toBe('access_token_expired');
  });
});
