import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { issuerKey, TokenIssuer } from '../token-issuer.ts';
import { RawClient, VERSIONS } from './raw-client.ts';

const clientId = 'a:demo:desk';
const seconds = () => Date.now() / 1000;

let server: TestServer;
let issuer: TokenIssuer;
beforeEach(async () => {
  server = await testServer({ 'limits.maximumConnectRatePerAddress': 1000, 'accessTokens.expiryNotice': '2s' });
  issuer = await TokenIssuer.open();
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    jwksUrl: `${issuer.url}/jwks`,
  });
});
afterEach(async () => {
  await server.close();
  await issuer.close();
});

const auth = (token: string) => ({ authenticationMethod: 'ACCESS-TOKEN', authenticationData: Buffer.from(token) });

async function enter(token: string, version: 4 | 5 = 5): Promise<RawClient> {
  const client = await RawClient.dial(server, version);
  const answer = await client.connect({ clientId, username: 'use-access-token', password: Buffer.from(token) });
  expect(answer.reasonCode).toBe(0);
  return client;
}

async function enterByAuth(token: string): Promise<RawClient> {
  const client = await RawClient.dial(server);
  expect((await client.connect({ clientId, properties: auth(token) })).reasonCode).toBe(0);
  return client;
}

describe('a session on an access token', () => {
  it.each(VERSIONS)('ends when the token expires, not before and hardly after (version %i)', async (version) => {
    const exp = Math.ceil(seconds()) + 3;
    const client = await enter(issuer.sign({ exp }), version);
    await client.gone;
    expect(seconds()).toBeGreaterThanOrEqual(exp);
    if (version === 5) expect(client.packets.at(-1)).toMatchObject({ type: 'disconnect', reasonCode: 0x87 });
  });

  it('is told to end soon by an event, and lives on where its client renews it in time', async () => {
    const expiring: string[] = [];
    const renewed: string[] = [];
    server.server.events.on('session.expiring', ({ principal }) => expiring.push(principal));
    server.server.events.on('session.renewed', ({ credential }) => renewed.push(credential));
    const exp = Math.ceil(seconds()) + 3;
    const client = await enterByAuth(issuer.sign({ exp }));
    await expect.poll(() => expiring, { timeout: 20_000 }).toEqual(['application:demo/desk']);
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth(issuer.sign({ jti: 'second' })) });
    expect(await client.take('auth')).toMatchObject({
      reasonCode: 0,
      properties: { authenticationMethod: 'ACCESS-TOKEN' },
    });
    await expect.poll(() => seconds(), { timeout: 20_000 }).toBeGreaterThan(exp + 2);
    expect(await client.settled()).toBe(true);
    expect(renewed).toEqual(['plant/second']);
  });

  it.each([
    ['of somebody else', { client_id: 'lab' }],
    ['that has expired', { iat: 0, exp: 1 }],
    ['of another audience', { aud: 'shop' }],
  ])('is not renewed by a token %s, and ends', async (_, changes) => {
    const client = await enterByAuth(issuer.sign());
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth(issuer.sign(changes)) });
    expect((await client.take('disconnect')).reasonCode).toBe(0x87);
    await client.gone;
  });

  it('is not renewed by another method, nor where CONNECT named none', async () => {
    const one = await enterByAuth(issuer.sign());
    one.send({
      type: 'auth',
      reasonCode: 0x19,
      properties: { ...auth(issuer.sign()), authenticationMethod: 'SCRAM-SHA-256' },
    });
    expect((await one.take('disconnect')).reasonCode).toBe(0x82);
    const two = await enter(issuer.sign());
    two.send({ type: 'auth', reasonCode: 0x19, properties: auth(issuer.sign()) });
    expect((await two.take('disconnect')).reasonCode).toBe(0x82);
  });

  it.each(VERSIONS)('ends when its issuer is removed, and nobody else does (version %i)', async (version) => {
    const other = await RawClient.open(server, 'lab', {}, version);
    const client = await enter(issuer.sign(), version);
    await server.api.issuers.remove('demo', 'plant');
    await client.gone;
    expect(await other.settled()).toBe(true);
  });

  it('ends when the settings of its issuer change, and the same token is then judged by the new ones', async () => {
    const token = issuer.sign();
    const client = await enter(token);
    await server.api.issuers.update('demo', 'plant', { audience: 'another' });
    await client.gone;
    const again = await RawClient.dial(server);
    const answer = await again.connect({ clientId, username: 'use-access-token', password: Buffer.from(token) });
    expect(answer.reasonCode).toBe(0x87);
  });

  it('ends when its principal is suspended or removed, and no token lets it back in', async () => {
    const client = await enter(issuer.sign());
    await server.api.applications.suspend({ organisation: 'demo', id: 'desk' });
    await client.gone;
    const again = await RawClient.dial(server);
    const login = { clientId, username: 'use-access-token', password: Buffer.from(issuer.sign()) };
    expect((await again.connect(login)).reasonCode).toBe(0x87);
  });

  it('that is kept goes with its token too, while its client is away', async () => {
    const exp = Math.ceil(seconds()) + 3;
    const client = await RawClient.dial(server);
    const login = { clientId, username: 'use-access-token', password: Buffer.from(issuer.sign({ exp })) };
    await client.connect({ ...login, cleanStart: false, properties: { sessionExpiryInterval: 3600 } });
    await client.vanish();
    const left = async () => (await server.api.sessions.list('demo')).items.length;
    expect(await left()).toBe(1);
    await expect.poll(left, { timeout: 20_000 }).toBe(0);
  });
});

describe('keys that an issuer has withdrawn', () => {
  it('sign nothing any more once new ones were fetched, which an unknown key brings about', async () => {
    const before = issuer.sign();
    await (await enter(before)).vanish();
    const old = issuer.keys[0]!;
    issuer.keys = [issuerKey('ES256')];
    // The old keys are kept for a while; what makes them be fetched is a key that is not among them, once in half a minute.
    const { KeySets } = await import('../../packages/server/src/authentication/key-sets.ts');
    const { askIssuer } = await import('../../packages/server/src/authentication/issuer-request.ts');
    let now = Date.now();
    const sets = new KeySets({
      ask: askIssuer({ timeout: 5000, authorities: [] }),
      now: () => now,
      refresh: 600_000,
      outage: 86_400_000,
    });
    const known = { jwksUrl: `${issuer.url}/jwks` } as Parameters<typeof sets.find>[0];
    expect(await sets.find(known, issuer.keys[0]!)).toHaveProperty('found');
    issuer.keys = [issuerKey('ES256')];
    now += 31_000;
    expect((await sets.find(known, issuer.keys[0]!)).found).toHaveLength(1);
    expect((await sets.find(known, old)).found).toBeUndefined();
  });
});
