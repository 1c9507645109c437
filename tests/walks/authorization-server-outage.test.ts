import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { Enterprise } from './enterprise.ts';

const MINUTE = 60_000;
const enterprise = new Enterprise();
const HOUR_LONG = ['accessTokenLifetime: 1h'];
/** How far the clock of the platform is ahead: outages are waited for by moving it. */
let ahead = 0;
let server: TestServer;
let secret = '';
beforeAll(async () => {
  await enterprise.prepare(HOUR_LONG);
  const api = enterprise.api();
  await api.organisations.create({ id: 'plant' });
  secret = (await api.applications.create({ organisation: 'plant', id: 'desk' })).token ?? '';
  server = await testServer(
    {
      'accessTokens.authorityFile': enterprise.rootFile,
      'accessTokens.keyRefresh': '1m',
      'accessTokens.keyOutage': '10m',
      'guessing.enabled': false,
      'limits.maximumConnectRatePerAddress': 100_000,
      'limits.applications.maximumConnectRate': 100_000,
    },
    { now: () => Date.now() + ahead },
  );
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: enterprise.issuer,
    audience: 'sallyport:plant',
    jwksUrl: `${enterprise.issuer}/jwks`,
    principal: '{sub}',
    grants: 'required',
  });
}, 120_000);
afterAll(async () => {
  await server.close();
  await enterprise.stop();
  rmSync(enterprise.folder, { recursive: true, force: true });
});

async function login(token: string): Promise<{ client: RawClient; code: number }> {
  const clientId = 'a:demo:desk';
  return RawClient.login(server, {
    clientId,
    username: 'use-access-token',
    password: Buffer.from(token),
    keepAlive: 0,
  });
}

async function reasonFor(token: string): Promise<string> {
  const client = await RawClient.dial(server);
  const connect = { clientId: 'a:demo:desk', username: 'use-access-token', password: Buffer.from(token), keepAlive: 0 };
  const { reasonCode, properties } = await client.connect(connect);
  await client.vanish();
  if (reasonCode === 0) return 'accepted';
  // By its ticket: others are refused meanwhile.
  const ticket = properties?.reasonString?.replace('ticket ', '');
  return ticket === undefined ? `code ${reasonCode}` : (await server.api.explainTicket(ticket)).reason;
}

/** Tokens that say what a good one says, and that the authorization server has not signed. */
function forgeriesOf(good: string): readonly string[] {
  const header = decodeProtectedHeader(good);
  const claims = decodeJwt(good);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const signed = (head: object, body: object, key: KeyObject = stranger) => {
    const input = [head, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  };
  const [head = '', , tail = ''] = good.split('.');
  const longer = Buffer.from(JSON.stringify({ ...claims, exp: 9_999_999_999 })).toString('base64url');
  const none = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url');
  return [
    signed(header, claims),
    signed({ ...header, kid: 'a key that comes soon' }, claims),
    signed({ ...header, kid: undefined }, claims),
    `${head}.${longer}.${tail}`,
    `${none}.${good.split('.')[1]}.`,
  ];
}

it('an authorization server that goes away and comes back with other keys lets nobody in who is not proven, and keeps nobody out for longer than is said', async () => {
  const before = await enterprise.token('desk', secret);
  const { client: session, code } = await login(before);
  expect(code).toBe(0);

  // Somebody tries forged tokens without a pause, from now on until the end.
  let running = true;
  let tried = 0;
  const letIn: string[] = [];
  let good = before;
  const stranger = (async () => {
    while (running) {
      for (const token of forgeriesOf(good)) {
        const password = Buffer.from(token);
        const forged = await RawClient.login(server, {
          clientId: 'a:demo:tap',
          username: 'use-access-token',
          password,
        });
        if (forged.code === 0) letIn.push(token);
        await forged.client.vanish();
        tried += 1;
      }
      await pause(20);
    }
  })();

  try {
    // Away, in the middle of logins.
    await Promise.all([
      enterprise.stop(),
      ...Array.from({ length: 5 }, async () => expect(await reasonFor(before)).toBe('accepted')),
    ]);
    expect(await reasonFor(before)).toBe('accepted');
    ahead = 5 * MINUTE;
    expect(await reasonFor(before)).toBe('accepted');
    // Longer than its keys count: nobody comes in, whatever the token.
    ahead = 11 * MINUTE;
    expect(await reasonFor(before)).toBe('issuer_unavailable');

    // Back, with keys that nobody has seen; those from before are withdrawn.
    await enterprise.start('jwt', HOUR_LONG);
    await enterprise.api().oauth.rotateKeys('plant', { atOnce: true });
    const after = await enterprise.token('desk', secret);
    good = after;
    ahead += MINUTE;
    await expect.poll(() => reasonFor(after), { timeout: 60_000, interval: 500 }).toBe('accepted');
    expect(await reasonFor(before)).toBe('access_token_unknown_key');

    // Away once more, and at once back: the key that is known goes on.
    await enterprise.stop();
    expect(await reasonFor(after)).toBe('accepted');
    await enterprise.start('jwt', HOUR_LONG);
    expect(await reasonFor(await enterprise.token('desk', secret))).toBe('accepted');
  } finally {
    running = false;
    await stranger;
  }
  expect(tried).toBeGreaterThan(20);
  expect(letIn).toEqual([]);
  // Same client id: the logins above have taken its place, one after the other.
  await session.gone;
}, 240_000);

it('an open session stands on its token through all of it, until the token ends', async () => {
  ahead = 0;
  const token = await enterprise.token('desk', secret);
  ahead = 2 * MINUTE;
  await expect.poll(async () => (await login(token)).code, { timeout: 60_000, interval: 500 }).toBe(0);
  const { client } = await login(token);
  await enterprise.stop();
  ahead = 15 * MINUTE;
  expect(await client.settled()).toBe(true);
  await enterprise.start('jwt', HOUR_LONG);
  await enterprise.api().oauth.rotateKeys('plant', { atOnce: true });
  expect(await client.settled()).toBe(true);
  ahead = 2 * 60 * MINUTE;
  await server.api.applications.update({ organisation: 'demo', id: 'desk' }, { description: 'judged anew' });
  await client.gone;
}, 240_000);
