import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

/*
 * Statements by which an application proves itself to the authorization server, made by a signer that may be anywhere: each counts once, for
 * one server, one application and a minute, and only with a signature of a key that is on record.
 */

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const desk = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const tap = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = (key: KeyObject) => createPublicKey(key.export({ type: 'spki', format: 'pem' }));
const pem = (key: KeyObject) => spki(key).export({ type: 'spki', format: 'pem' }) as string;

let server: TestServer;
let neighbour: TestServer;
// Each group has its own: so many that failed are all that an authorization server looks at from one address in a minute.
async function begin() {
  [server, neighbour] = (await Promise.all(
    [1, 2].map(() => testServer({ 'authorizationServer.organisations': ['demo', 'other'] })),
  )) as [TestServer, TestServer];
  for (const each of [server, neighbour]) {
    await each.api.oauth.addClientKey({ organisation: 'demo', id: 'desk' }, pem(desk.publicKey));
    await each.api.oauth.addClientKey({ organisation: 'demo', id: 'tap' }, pem(tap.publicKey));
  }
}
const end = () => Promise.all([server.close(), neighbour.close()]);

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const issuerOf = (of: TestServer, organisation = 'demo') => `https://localhost:${of.httpPort}/oauth/${organisation}`;
const seconds = () => Math.floor(Date.now() / 1000);
const good = () => ({
  ...{ iss: 'desk', sub: 'desk', aud: issuerOf(server), jti: randomUUID() },
  ...{ iat: seconds(), exp: seconds() + 60 },
});
const es256 = (text: string) => sign('sha256', Buffer.from(text), { key: desk.privateKey, dsaEncoding: 'ieee-p1363' });

/** A statement about `claims`, signed by `signed` whatever the header says. */
function statement(claims: object, header: object = { alg: 'ES256' }, signed: (text: string) => Buffer = es256) {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${signed(text).toString('base64url')}`;
}
const shown = (assertion: string, client = 'desk', organisation = 'demo', more: object = {}) =>
  ask(server, `/oauth/${organisation}/token`, {
    form: {
      ...{ grant_type: 'client_credentials', client_id: client },
      ...{ client_assertion_type: TYPE, client_assertion: assertion, ...more },
    },
  });

describe('a statement by which an application proves itself', () => {
  beforeAll(begin);
  afterAll(end);

  it('counts as it was made by the application, once', async () => {
    const assertion = statement(good());
    expect((await shown(assertion)).status).toBe(200);
    expect((await shown(assertion)).json).toMatchObject({ error: 'invalid_client' });
  });

  it('counts once also when it is shown five times at a moment', async () => {
    const assertion = statement(good());
    const answers = await Promise.all(Array.from({ length: 5 }, () => shown(assertion)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('proves nobody beside its own application, and nobody in another organisation', async () => {
    expect((await shown(statement(good()), 'tap')).json).not.toHaveProperty('access_token');
    expect(
      (await shown(statement({ ...good(), aud: issuerOf(server, 'other') }), 'desk', 'other')).json,
    ).not.toHaveProperty('access_token');
    const device = 'd:demo:pump:pump-7';
    const about = { ...good(), iss: device, sub: device };
    expect((await shown(statement(about), device)).json).not.toHaveProperty('access_token');
  });

  it('ends with its key, and with its application', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const name = { organisation: 'demo', id: 'lab' };
    const { kid } = await server.api.oauth.addClientKey(name, pem(publicKey));
    const made = () =>
      statement({ ...good(), iss: 'lab', sub: 'lab' }, { alg: 'EdDSA' }, (text) =>
        sign(null, Buffer.from(text), privateKey),
      );
    expect((await shown(made(), 'lab')).status).toBe(200);
    await server.api.oauth.removeClientKey(name, kid);
    expect((await shown(made(), 'lab')).json).not.toHaveProperty('access_token');
  });
});

describe('a statement that is not one of the application', () => {
  beforeAll(begin);
  afterAll(end);

  it.each<[string, () => string]>([
    ['for another authorization server', () => statement({ ...good(), aud: issuerOf(neighbour) })],
    ['for another organisation', () => statement({ ...good(), aud: issuerOf(server, 'other') })],
    ['for nobody', () => statement({ ...good(), aud: undefined })],
    ['about another application', () => statement({ ...good(), iss: 'tap', sub: 'tap' })],
    ['by one application about another', () => statement({ ...good(), iss: 'tap' })],
    ['that has ended', () => statement({ ...good(), iat: seconds() - 120, exp: seconds() - 60 })],
    ['that never ends', () => statement({ ...good(), exp: undefined })],
    ['without a name of its own', () => statement({ ...good(), jti: undefined })],
    [
      'with the key of another application',
      () =>
        statement(good(), { alg: 'ES256' }, (text) =>
          sign('sha256', Buffer.from(text), { key: tap.privateKey, dsaEncoding: 'ieee-p1363' }),
        ),
    ],
    [
      'with its signature in DER',
      () => statement(good(), { alg: 'ES256' }, (text) => sign('sha256', Buffer.from(text), desk.privateKey)),
    ],
    ['with no signature', () => statement(good(), { alg: 'none' }, () => Buffer.alloc(0))],
    ['with a signature of zeros', () => statement(good(), { alg: 'ES256' }, () => Buffer.alloc(64))],
    [
      'with the public key as a shared secret',
      () =>
        statement(good(), { alg: 'HS256' }, (text) => createHmac('sha256', pem(desk.publicKey)).update(text).digest()),
    ],
    [
      'with a key that it brings along',
      () =>
        statement(good(), { alg: 'ES256', jwk: spki(tap.publicKey).export({ format: 'jwk' }) }, (text) =>
          sign('sha256', Buffer.from(text), { key: tap.privateKey, dsaEncoding: 'ieee-p1363' }),
        ),
    ],
    ['whose claims were changed', () => statement(good()).replace(/\.[^.]+\./, `.${part(good())}.`)],
  ])('does not count %s', async (_how, made) => {
    const { status, json } = await shown(made());
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json.error).toMatch(/^invalid_(client|request)$/);
    expect(json).not.toHaveProperty('access_token');
  });
});
