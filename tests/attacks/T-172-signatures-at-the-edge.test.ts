import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ecdsaForgeries,
  ed25519Forgeries,
  type Forgery,
  rsaForgeries,
  SMALL_ORDER_KEYS,
} from '../forged-signatures.ts';
import { type TestServer, testServer } from '../server.ts';
import { type IssuerKey, publicJwk, TokenIssuer } from '../token-issuer.ts';
import { RawClient } from './raw-client.ts';

/* Each verifier of the packages has cases of its own beside it (packages/trust/test/edge-cases.test.ts); these are tried at the door. */

let server: TestServer;
let issuer: TokenIssuer;
beforeAll(async () => {
  server = await testServer({
    'limits.maximumConnectRatePerAddress': 100_000,
    'limits.applications.maximumConnectRate': 100_000,
    'guessing.enabled': false,
  });
  issuer = await TokenIssuer.open('ES256', 'EdDSA', 'RS256', 'PS256');
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    jwksUrl: `${issuer.url}/jwks`,
  });
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

async function accepted(token: string): Promise<boolean> {
  const login = { clientId: 'a:demo:desk', username: 'use-access-token', password: Buffer.from(token), keepAlive: 0 };
  const { client, code } = await RawClient.login(server, login, 5);
  await client.vanish();
  return code === 0;
}

const keyOf = (alg: string): IssuerKey => issuer.keys.find((key) => key.alg === alg)!;
/** A token of the issuer with another signature in place of its own. */
function signedBy(token: string, signature: Uint8Array): string {
  return [...token.split('.').slice(0, 2), Buffer.from(signature).toString('base64url')].join('.');
}

type Make = (signature: Buffer, message: Buffer, key: KeyObject) => readonly Forgery[];

describe.each<readonly [string, Make]>([
  ['ES256', (signature) => ecdsaForgeries(signature)],
  ['EdDSA', (signature) => ed25519Forgeries(signature)],
  ['RS256', (_, message, key) => rsaForgeries(message, key)],
])('an access token by %s', (alg, make) => {
  it('counts with the signature that was made, and with none of those that are like one', async () => {
    const token = issuer.sign({}, {}, keyOf(alg));
    expect(await accepted(token)).toBe(true);
    const [header = '', claims = '', signature = ''] = token.split('.');
    const forgeries = make(
      Buffer.from(signature, 'base64url'),
      Buffer.from(`${header}.${claims}`),
      keyOf(alg).privateKey,
    );
    for (const [name, bytes] of forgeries) expect(await accepted(signedBy(token, bytes)), name).toBe(false);
    expect(forgeries.length).toBeGreaterThan(15);
  }, 120_000);
});

describe('an access token by PS256', () => {
  it('has the salt and the hash that RFC 7518 section 3.5 names, and no others', async () => {
    const token = issuer.sign({}, {}, keyOf('PS256'));
    expect(await accepted(token)).toBe(true);
    const message = Buffer.from(token.split('.').slice(0, 2).join('.'));
    const { privateKey: key } = keyOf('PS256');
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    for (const saltLength of [0, 16, 20, 31, 33, 64, constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
      expect(
        await accepted(signedBy(token, sign('sha256', message, { key, padding, saltLength }))),
        String(saltLength),
      ).toBe(false);
    }
    for (const hash of ['sha1', 'sha384', 'sha512']) {
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
      expect(await accepted(signedBy(token, sign(hash, message, { key, padding, saltLength }))), hash).toBe(false);
    }
    expect(await accepted(signedBy(token, sign('sha256', message, key)))).toBe(false);
  });
});

describe('keys of issuers and clients', () => {
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
  const add = (id: string, keys: string) =>
    server.api.issuers.add('demo', { id, issuer: `https://${id}.example`, audience: 'x', keys });

  it('are refused where they are of small order: with them anybody could sign', async () => {
    const prefix = Buffer.from('302a300506032b6570032100', 'hex');
    for (const [index, key] of SMALL_ORDER_KEYS.entries()) {
      const der = Buffer.concat([prefix, Buffer.from(key, 'hex')]);
      const x = Buffer.from(key, 'hex').toString('base64url');
      await expect(
        add(`weak-${index}`, JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', x }] })),
        key,
      ).rejects.toThrow();
      const text = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
      await expect(add(`weak-${index}`, text), key).rejects.toThrow();
      const desk = { organisation: 'demo', id: 'desk' };
      await expect(server.api.oauth.addClientKey(desk, text), key).rejects.toThrow();
    }
  });

  it('of small order that an issuer publishes open nothing', async () => {
    const good = issuer.keys;
    const [weak] = SMALL_ORDER_KEYS;
    const x = Buffer.from(weak ?? '', 'hex').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    issuer.keys = [...good, { ...keyOf('EdDSA'), kid: 'weak', publicKey }];
    try {
      expect(publicJwk(issuer.keys.at(-1)!)).toMatchObject({ x, kid: 'weak' });
      const token = issuer.sign({}, { kid: 'weak' }, keyOf('EdDSA'));
      const identity = Buffer.concat([Buffer.of(1), Buffer.alloc(63)]);
      expect(await accepted(signedBy(token, identity))).toBe(false);
    } finally {
      issuer.keys = good;
    }
  });

  it('are refused where they fit no algorithm that is taken here', async () => {
    const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const x448 = generateKeyPairSync('x448').publicKey;
    for (const key of [k1, weak, x448, generateKeyPairSync('x25519').publicKey]) {
      await expect(add('odd', pem(key))).rejects.toThrow();
    }
  });
});
