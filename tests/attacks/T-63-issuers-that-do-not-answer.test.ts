import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askIssuer } from '../../packages/server/src/authentication/issuer-request.ts';
import { type TestServer, testServer } from '../server.ts';
import { TokenIssuer } from '../token-issuer.ts';
import { RawClient } from './raw-client.ts';

const clientId = 'a:demo:desk';

let server: TestServer;
let issuer: TokenIssuer;
beforeEach(async () => {
  server = await testServer({
    'limits.maximumConnectRatePerAddress': 1000,
    'limits.maximumTakeoverRate': 1000,
    'accessTokens.requestTimeout': '1s',
    'accessTokens.introspectionOutage': '3s',
  });
  issuer = await TokenIssuer.open();
  mkdirSync(join(server.directory, 'secrets'), { mode: 0o700 });
  writeFileSync(join(server.directory, 'secrets', 'plant'), 'a client secret: with/odd+characters\n', { mode: 0o600 });
});
afterEach(async () => {
  await server.close();
  await issuer.close();
});

async function knock(token: string): Promise<{ client: RawClient; reason: string }> {
  const client = await RawClient.dial(server);
  const answer = await client.connect({ clientId, username: 'use-access-token', password: Buffer.from(token) });
  if (answer.reasonCode === 0) return { client, reason: 'accepted' };
  const ticket = answer.properties?.reasonString?.replace('ticket ', '') ?? '';
  return { client, reason: (await server.api.explainTicket(ticket)).reason };
}

async function reasonFor(token: string): Promise<string> {
  const { client, reason } = await knock(token);
  await client.vanish();
  return reason;
}

function signed() {
  return server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    jwksUrl: `${issuer.url}/jwks`,
  });
}

function opaque(cache: number) {
  return server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    tokens: 'opaque',
    introspection: { url: `${issuer.url}/introspect`, clientId: 'sally:port', secretFile: 'plant', cache },
  });
}

describe('an issuer of signed tokens', () => {
  it('whose keys were never fetched lets nobody in while it is down, broken, or redirects', async () => {
    await signed();
    issuer.state = 'down';
    expect(await reasonFor(issuer.sign())).toBe('issuer_unavailable');
    // Left alone for a moment, so that those who wait do not each ask.
    expect(await reasonFor(issuer.sign())).toBe('issuer_unavailable');
    expect(issuer.asked['/jwks']).toBe(1);
  });

  it('whose keys are known lets its clients in while it is away, and strangers’ key ids do not make it be asked again and again', async () => {
    await signed();
    expect(await reasonFor(issuer.sign())).toBe('accepted');
    issuer.state = 'down';
    for (let attempt = 0; attempt < 20; attempt++) {
      expect(await reasonFor(issuer.sign({}, { kid: `stranger-${attempt}` }))).toBe('access_token_unknown_key');
    }
    expect(await reasonFor(issuer.sign())).toBe('accepted');
    expect(issuer.asked['/jwks']).toBe(1);
  });

  it('is asked once by many who come at once', async () => {
    await signed();
    const reasons = await Promise.all(Array.from({ length: 30 }, () => reasonFor(issuer.sign())));
    expect(new Set(reasons)).toEqual(new Set(['accepted']));
    expect(issuer.asked['/jwks']).toBe(1);
  });
});

describe('what is asked of an issuer', () => {
  it('is bounded in bytes and time, and follows nobody elsewhere', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(privateKey.type).toBe('private');
    const paths: string[] = [];
    const far = createServer((request, response) => {
      paths.push(request.url ?? '');
      if (request.url === '/moved') response.writeHead(302, { location: '/stolen' }).end();
      else if (request.url === '/large') response.end(Buffer.alloc(1_000_000, 'x'));
      else if (request.url === '/drip') {
        const drip = setInterval(() => response.write('x'), 100);
        response.on('close', () => clearInterval(drip));
      }
    });
    await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(far.address() as AddressInfo).port}`;
    const ask = askIssuer({ timeout: 1000, authorities: [] });
    await expect(ask({ url: `${base}/moved` })).rejects.toThrow('302');
    await expect(ask({ url: `${base}/large` })).rejects.toThrow('bytes');
    await expect(ask({ url: `${base}/drip` })).rejects.toThrow();
    await expect(ask({ url: 'http://192.0.2.1/jwks' })).rejects.toThrow('https');
    expect(paths).toEqual(['/moved', '/large', '/drip']);
    far.closeAllConnections();
    far.close();
  });
});

describe('an issuer of opaque tokens', () => {
  it('is asked with the client credentials of this server, once for as long as its answer holds, for a no as for a yes', async () => {
    await opaque(60);
    const token = issuer.opaque();
    expect(await reasonFor(token)).toBe('accepted');
    expect(await reasonFor(token)).toBe('accepted');
    expect(issuer.asked['/introspect']).toBe(1);
    expect(issuer.lastAuthorization).toBe(
      `Basic ${Buffer.from('sally%3Aport:a+client+secret%3A+with%2Fodd%2Bcharacters').toString('base64')}`,
    );
    expect(await reasonFor('made-up')).toBe('access_token_revoked');
    expect(await reasonFor('made-up')).toBe('access_token_revoked');
    expect(issuer.asked['/introspect']).toBe(2);
  });

  it('is believed no further than its tokens say: audience, end, principal, binding', async () => {
    await opaque(60);
    expect(await reasonFor(issuer.opaque({ aud: 'shop' }))).toBe('access_token_wrong_audience');
    expect(await reasonFor(issuer.opaque({ aud: undefined }))).toBe('access_token_invalid');
    expect(await reasonFor(issuer.opaque({ exp: undefined }))).toBe('access_token_invalid');
    expect(await reasonFor(issuer.opaque({ client_id: 'lab' }))).toBe('access_token_names_nobody');
    expect(await reasonFor(issuer.opaque({ cnf: { 'x5t#S256': 'x' } }))).toBe('access_token_other_certificate');
    expect(await reasonFor(issuer.opaque({ iss: 'https://other.test' }))).toBe('access_token_unknown_issuer');
  });

  it('ends the session of a token that was revoked, once its last answer is over', async () => {
    await opaque(1);
    const token = issuer.opaque();
    const { client } = await knock(token);
    issuer.revoke(token);
    await client.gone;
    expect(client.packets.at(-1)).toMatchObject({ type: 'disconnect', reasonCode: 0x87 });
    const [refusal] = (await server.api.refusals({ organisation: 'demo' })).items;
    expect(refusal).toMatchObject({ reason: 'access_token_revoked', action: 'session' });
  });

  it('lets nobody in while it is away, is left alone after some failures, and open sessions do not stand on it for ever', async () => {
    await opaque(1);
    const { client } = await knock(issuer.opaque());
    issuer.state = 'down';
    const before = issuer.asked['/introspect'] ?? 0;
    for (let attempt = 0; attempt < 20; attempt++) expect(await reasonFor(issuer.opaque())).toBe('issuer_unavailable');
    expect((issuer.asked['/introspect'] ?? 0) - before).toBeLessThan(20);
    await client.gone;
    // A worker process tells the office why it has ended a session a moment after the client has seen it.
    await expect
      .poll(async () => {
        const { items } = await server.api.refusals({ organisation: 'demo' });
        return items.find(({ action }) => action === 'session')?.reason;
      })
      .toBe('issuer_unavailable');
  });

  it('is not asked by a secret that others can read', async () => {
    await opaque(60);
    writeFileSync(join(server.directory, 'secrets', 'open'), 'x');
    const { chmodSync } = await import('node:fs');
    chmodSync(join(server.directory, 'secrets', 'open'), 0o644);
    const introspection = { url: `${issuer.url}/introspect`, clientId: 'x', secretFile: 'open' };
    await server.api.issuers.update('demo', 'plant', { introspection });
    expect(await reasonFor(issuer.opaque())).toBe('issuer_unavailable');
    expect(issuer.asked['/introspect']).toBeUndefined();
  });
});

describe('a signed token whose issuer is asked too', () => {
  it('counts only while it is active there', async () => {
    await signed();
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(server.directory, 'secrets', 'plant.key'), pem, { mode: 0o600 });
    const introspection = { url: `${issuer.url}/introspect`, clientId: 'sallyport', keyFile: 'plant.key', cache: 1 };
    await server.api.issuers.update('demo', 'plant', { introspection });
    const token = issuer.sign();
    expect(await reasonFor(token)).toBe('access_token_revoked');
    const active = issuer.sign();
    issuer.tokens.set(active, issuer.claims());
    expect(await reasonFor(active)).toBe('accepted');
    expect(issuer.lastForm.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const [, claims = ''] = (issuer.lastForm.get('client_assertion') ?? '').split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'sallyport',
      sub: 'sallyport',
      aud: issuer.url,
    });
  });
});
