import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { secretBox } from '@sallyport/trust/secrets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptTokens } from '../../packages/server/src/authentication/kept-tokens.ts';
import { type TestServer, testServer } from '../server.ts';
import { startedAgain } from '../started-again.ts';
import { TokenIssuer } from '../token-issuer.ts';
import { RawClient, VERSIONS } from './raw-client.ts';

const organisation = 'demo';
const SECRET = 'plant.secret';
const OUTAGE = { 'accessTokens.introspectionOutage': '5m' };

let server: TestServer;
let issuer: TokenIssuer;
let ahead = 0;
const clock = { now: () => Date.now() + ahead };
beforeEach(async () => {
  ahead = 0;
  issuer = await TokenIssuer.open();
  server = await testServer(OUTAGE, clock);
  mkdirSync(join(server.directory, 'secrets'), { mode: 0o700 });
  writeFileSync(join(server.directory, 'secrets', SECRET), 'whatever', { mode: 0o600 });
});
afterEach(async () => {
  await server.close();
  await issuer.close();
});

async function trust(tokens: 'opaque' | 'signed'): Promise<void> {
  await server.api.issuers.add(organisation, {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    tokens,
    ...(tokens === 'signed' ? { jwksUrl: `${issuer.url}/jwks` } : {}),
    introspection: { url: `${issuer.url}/introspect`, clientId: 'sallyport', secretFile: SECRET, cache: 1 },
  });
}

function issued(tokens: 'opaque' | 'signed', id: string): string {
  const claims = { sub: id, client_id: id };
  if (tokens === 'opaque') return issuer.opaque(claims);
  const signed = issuer.sign(claims);
  issuer.tokens.set(signed, issuer.claims(claims));
  return signed;
}

const KEPT = { 4: {}, 5: { properties: { sessionExpiryInterval: 3600 } } } as const;

async function enter(id: string, token: string, version: 4 | 5, more: object = {}): Promise<RawClient> {
  const login = { clientId: `a:demo:${id}`, username: 'use-access-token', password: Buffer.from(token), keepAlive: 0 };
  const { client, code } = await RawClient.login(
    server,
    { ...login, cleanStart: false, ...KEPT[version], ...more },
    version,
  );
  expect(code).toBe(0);
  return client;
}

const EVENTS = 'iot-2/type/pump/id/pump-7/evt/+/fmt/+';
const sessions = async () => (await server.api.sessions.list(organisation)).items.map(({ clientId }) => clientId);

async function waiting(text: string): Promise<void> {
  const pump = await RawClient.open(server, 'pump-7');
  pump.publish('iot-2/evt/status/fmt/json', text, { qos: 1 });
  expect((await pump.take('puback')).reasonCode).toBe(0);
  await pump.vanish();
}

/** Sessions of desk and tap that are kept; that of desk has a will which is due soon. */
async function prepared(tokens: 'opaque' | 'signed', version: 4 | 5): Promise<{ desk: string; tap: string }> {
  await trust(tokens);
  const [desk, tap] = [issued(tokens, 'desk'), issued(tokens, 'tap')];
  const message = {
    topic: 'iot-2/type/pump/id/pump-7/evt/gone/fmt/json',
    payload: Buffer.from('will'),
    qos: 1,
    retain: false,
  };
  // In version 3.1.1 a will is sent when its client leaves.
  const will = version === 5 ? { will: { ...message, properties: { willDelayInterval: 3 } } } : {};
  for (const client of [await enter('desk', desk, version, will), await enter('tap', tap, version)]) {
    expect(await client.subscribe(EVENTS, { qos: 1 })).toBe(1);
  }
  await waiting('waits');
  return { desk, tap };
}

describe.each(['opaque', 'signed'] as const)(
  'a kept session on a token that its issuer is asked about (%s)',
  (tokens) => {
    it.each(VERSIONS)(
      'ends with its queue and its will where the token was revoked while the server was away, and no other does (version %s)',
      async (version) => {
        const { desk, tap } = await prepared(tokens, version);
        await server.server.close();
        issuer.revoke(desk);
        server = await startedAgain(server, OUTAGE, clock);
        expect(await sessions()).toEqual(['a:demo:tap']);
        const [refusal] = (await server.api.refusals({ organisation, limit: 5 })).items;
        expect(refusal).toMatchObject({ reason: 'access_token_revoked', clientId: 'a:demo:desk' });
        ahead = 5000;
        await waiting('later');
        const client = await enter('tap', tap, version);
        expect(await client.heard()).toEqual([expect.stringMatching(/ waits$/), expect.stringMatching(/ later$/)]);
      },
    );

    it('ends within the time of an answer where the token is revoked after the restart', async () => {
      const { desk } = await prepared(tokens, 5);
      server = await startedAgain(server, OUTAGE, clock);
      expect(await sessions()).toHaveLength(2);
      issuer.revoke(desk);
      await expect.poll(sessions, { timeout: 20_000 }).toEqual(['a:demo:tap']);
    });

    it('stands while its issuer does not answer after a restart, and no longer than the outage that is allowed', async () => {
      await prepared(tokens, 5);
      issuer.state = 'down';
      server = await startedAgain(server, OUTAGE, clock);
      expect(await sessions()).toHaveLength(2);
      ahead = 6 * 60_000;
      await server.api.applications.update({ organisation, id: 'desk' }, { description: 'judged anew' });
      await server.api.applications.update({ organisation, id: 'tap' }, { description: 'judged anew' });
      await expect.poll(sessions, { timeout: 20_000 }).toEqual([]);
    });

    it('ends where the key that its token is kept under is another one', async () => {
      await prepared(tokens, 5);
      await server.server.close();
      const file = join(server.directory, 'token.key');
      const key = readFileSync(file);
      writeFileSync(file, Buffer.alloc(32, 7));
      const other = await startedAgain(server, OUTAGE, clock);
      await other.server.close();
      writeFileSync(file, key);
      server = await startedAgain(server, OUTAGE, clock);
      expect(await sessions()).toEqual([]);
    });

    it('leaves no token on the disk that could be used', async () => {
      const { desk, tap } = await prepared(tokens, 5);
      await server.server.close();
      const files = readdirSync(server.directory, { recursive: true, withFileTypes: true }).filter((file) =>
        file.isFile(),
      );
      for (const file of files) {
        const content = readFileSync(join(file.parentPath, file.name));
        for (const token of [desk, tap]) {
          expect(content.includes(token), file.name).toBe(false);
          expect(content.includes(Buffer.from(token).toString('base64url')), file.name).toBe(false);
        }
      }
      server = await startedAgain(server, OUTAGE, clock);
    });
  },
);

describe('what a session has kept of its token', () => {
  const issuerName = { organisation, id: 'plant' };
  const kept = keptTokens(secretBox(Buffer.alloc(32, 1), 'test'));

  it('opens for the issuer, the hash and the key that it was kept under, and for no other', () => {
    const one = kept.keep('token-1', issuerName);
    const two = kept.keep('token-2', issuerName);
    expect(kept.open(one, issuerName)).toBe('token-1');
    expect(kept.open({ ...one, sealed: two.sealed }, issuerName)).toBeUndefined();
    expect(kept.open(one, { organisation: 'other', id: 'plant' })).toBeUndefined();
    expect(kept.open({ token: one.token }, issuerName)).toBeUndefined();
    expect(keptTokens(secretBox(Buffer.alloc(32, 2), 'test')).open(one, issuerName)).toBeUndefined();
  });
});
