import { createHmac, type createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { type IssuerKey, issuerKey, publicJwk, signedText, TokenIssuer } from '../token-issuer.ts';
import { RawClient } from './raw-client.ts';

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];
const clientId = 'a:demo:desk';

let server: TestServer;
let issuer: TokenIssuer;
let neighbour: TokenIssuer;
const stranger: Record<string, IssuerKey> = {};
beforeAll(async () => {
  server = await testServer({
    'limits.maximumConnectRatePerAddress': 100_000,
    'limits.applications.maximumConnectRate': 100_000,
  });
  issuer = await TokenIssuer.open('ES256', 'EdDSA', 'PS256', 'RS256', 'ES384');
  neighbour = await TokenIssuer.open('ES256');
  for (const alg of ALGORITHMS) stranger[alg] = issuerKey(alg);
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    jwksUrl: `${issuer.url}/jwks`,
  });
  await server.api.issuers.add('other', {
    id: 'city',
    issuer: neighbour.url,
    audience: issuer.audience,
    jwksUrl: `${neighbour.url}/jwks`,
  });
});
afterAll(async () => {
  await server.close();
  await issuer.close();
  await neighbour.close();
});

async function reasonFor(token: string, who = clientId): Promise<string> {
  const client = await RawClient.dial(server);
  const answer = await client.connect({ clientId: who, username: 'use-access-token', password: Buffer.from(token) });
  const ticket = answer.properties?.reasonString?.replace('ticket ', '');
  await client.vanish();
  if (answer.reasonCode === 0) return 'accepted';
  return ticket === undefined ? `code ${answer.reasonCode}` : (await server.api.explainTicket(ticket)).reason;
}

const keyOf = (alg: string): IssuerKey => issuer.keys.find((key) => key.alg === alg)!;
const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

/** Signed by HMAC with something that everybody can know. */
function hmac(alg: string, secret: string | Buffer): string {
  const input = `${b64({ alg, kid: keyOf('RS256').kid, typ: 'at+jwt' })}.${b64(issuer.claims())}`;
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`;
}

function changed(token: string, change: (parts: string[]) => string[]): string {
  return change(token.split('.')).join('.');
}

/** The other signature that ECDSA has for the same message: n - s. */
function malleated(token: string): string {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  return changed(token, ([header = '', claims = '', signature = '']) => {
    const bytes = Buffer.from(signature, 'base64url');
    const s = n - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
    return [header, claims, other.toString('base64url')];
  });
}

type Case = readonly [name: string, reason: string, make: () => string];

const INVALID = 'access_token_invalid';
const cases: Case[] = [
  // Algorithms
  ...['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg): Case[] => [
    [`alg "${alg}" without a signature`, INVALID, () => `${b64({ alg, typ: 'at+jwt' })}.${b64(issuer.claims())}.`],
    [
      `alg "${alg}" with the signature of another token`,
      INVALID,
      () =>
        changed(issuer.sign(), ([, claims = '', signature = '']) => [b64({ alg, typ: 'at+jwt' }), claims, signature]),
    ],
  ]),
  ...['HS256', 'HS384', 'HS512'].flatMap((alg): Case[] => [
    [
      `${alg} with the public key in PEM as secret`,
      INVALID,
      () => hmac(alg, keyOf('RS256').publicKey.export({ type: 'spki', format: 'pem' })),
    ],
    [
      `${alg} with the public key in DER as secret`,
      INVALID,
      () => hmac(alg, keyOf('RS256').publicKey.export({ type: 'spki', format: 'der' })),
    ],
    [`${alg} with the JWK as secret`, INVALID, () => hmac(alg, JSON.stringify(publicJwk(keyOf('RS256'))))],
    [`${alg} with an empty secret`, INVALID, () => hmac(alg, '')],
  ]),
  ...ALGORITHMS.map((alg): Case => {
    const known = ['ES256', 'EdDSA', 'PS256', 'RS256'].includes(alg);
    return [
      `a stranger's ${alg} key under a known key id`,
      INVALID,
      () => issuer.sign({}, { kid: (known ? keyOf(alg) : keyOf('ES256')).kid }, stranger[alg]),
    ];
  }),
  ['a key of the issuer by an algorithm that it may not use', INVALID, () => issuer.sign({}, {}, keyOf('ES384'))],
  [
    'ES256 claimed for a P-384 key',
    INVALID,
    () => issuer.sign({}, { alg: 'ES256', kid: keyOf('ES256').kid }, keyOf('ES384')),
  ],
  [
    'RS256 claimed for a signature of PS256',
    INVALID,
    () => issuer.sign({}, { alg: 'RS256', kid: keyOf('RS256').kid }, keyOf('PS256')),
  ],
  [
    'PS256 under the key id of a key for ES256',
    'access_token_unknown_key',
    () => issuer.sign({}, { kid: keyOf('ES256').kid }, keyOf('PS256')),
  ],
  // Keys
  ['an unknown key id', 'access_token_unknown_key', () => issuer.sign({}, { kid: 'nobody' })],
  ['no key id where a stranger signed', INVALID, () => issuer.sign({}, { kid: undefined }, stranger.ES256)],
  ['a key id that is a path', 'access_token_unknown_key', () => issuer.sign({}, { kid: '../../../../dev/null' })],
  ['a key id with SQL in it', 'access_token_unknown_key', () => issuer.sign({}, { kid: "x' union select 'key" })],
  ['a key id that is a number', INVALID, () => issuer.sign({}, { kid: 7 })],
  ['a key id of 5000 characters', INVALID, () => issuer.sign({}, { kid: 'k'.repeat(5000) })],
  ['its own key as jwk', INVALID, () => issuer.sign({}, { jwk: publicJwk(stranger.ES256!) }, stranger.ES256)],
  [
    'its own key as jwk under a known key id',
    INVALID,
    () => issuer.sign({}, { kid: keyOf('ES256').kid, jwk: publicJwk(stranger.ES256!) }, stranger.ES256),
  ],
  [
    'the address of its own keys (jku)',
    INVALID,
    () => issuer.sign({}, { jku: `${neighbour.url}/jwks` }, stranger.ES256),
  ],
  [
    'the address of its own certificate (x5u)',
    INVALID,
    () => issuer.sign({}, { x5u: `${neighbour.url}/x` }, stranger.ES256),
  ],
  ['its own certificate chain (x5c)', INVALID, () => issuer.sign({}, { x5c: ['MIIB'] }, stranger.ES256)],
  // Header
  ['a critical extension', INVALID, () => issuer.sign({}, { crit: ['exp'], exp: 1 })],
  ['an empty list of critical extensions', INVALID, () => issuer.sign({}, { crit: [] })],
  ['an unencoded payload (b64)', INVALID, () => issuer.sign({}, { b64: false, crit: ['b64'] })],
  ['compression (zip)', INVALID, () => issuer.sign({}, { zip: 'DEF' })],
  ['an algorithm that is a list', INVALID, () => issuer.sign({}, { alg: ['ES256'] })],
  [
    'two algorithms',
    INVALID,
    () =>
      signedText(
        `{"alg":"none","alg":"ES256","kid":"${keyOf('ES256').kid}","typ":"at+jwt"}`,
        JSON.stringify(issuer.claims()),
        keyOf('ES256'),
      ),
  ],
  [
    'two algorithms, one spelled with an escape',
    INVALID,
    () =>
      signedText(
        `{"alg":"none","\\u0061lg":"ES256","kid":"${keyOf('ES256').kid}","typ":"at+jwt"}`,
        JSON.stringify(issuer.claims()),
        keyOf('ES256'),
      ),
  ],
  ...['JWT', 'jwt', 'id+jwt', 'logout+jwt', 'dpop+jwt', 'at', undefined].map(
    (typ): Case => [`type ${typ ?? 'absent'}`, INVALID, () => issuer.sign({}, { typ })],
  ),
  // Claims
  ...['iss', 'aud', 'exp', 'sub', 'client_id', 'iat', 'jti'].map(
    (name): Case => [`no ${name}`, INVALID, () => issuer.sign({ [name]: undefined })],
  ),
  ['an issuer with a slash more', 'access_token_unknown_issuer', () => issuer.sign({ iss: `${issuer.url}/` })],
  ['an issuer in capitals', 'access_token_unknown_issuer', () => issuer.sign({ iss: issuer.url.toUpperCase() })],
  ['an issuer that is a list', INVALID, () => issuer.sign({ iss: [issuer.url] })],
  ['the issuer of another organisation, by its key', 'access_token_unknown_issuer', () => neighbour.sign()],
  [
    'our issuer, by the key of the one of another organisation',
    INVALID,
    () => neighbour.sign({ iss: issuer.url }, { kid: keyOf('ES256').kid }),
  ],
  ['another audience', 'access_token_wrong_audience', () => issuer.sign({ aud: 'https://shop.test' })],
  [
    'an audience that begins like ours',
    'access_token_wrong_audience',
    () => issuer.sign({ aud: `${issuer.audience}.evil` }),
  ],
  ['an empty list of audiences', 'access_token_wrong_audience', () => issuer.sign({ aud: [] })],
  ['an audience that is an object', INVALID, () => issuer.sign({ aud: { [issuer.audience]: true } })],
  ['an audience list with a number', INVALID, () => issuer.sign({ aud: [issuer.audience, 7] })],
  ['expired a minute ago', 'access_token_expired', () => issuer.sign({ iat: seconds() - 600, exp: seconds() - 60 })],
  ['expired in 1970', 'access_token_expired', () => issuer.sign({ iat: 0, exp: 1 })],
  ['an end that is a text', INVALID, () => issuer.sign({ exp: String(seconds() + 300) })],
  ['an end without end', INVALID, () => issuer.sign({ exp: 1e300 })],
  ['an end below zero', INVALID, () => issuer.sign({ exp: -1 })],
  ['an end that is null', INVALID, () => issuer.sign({ exp: null })],
  [
    'two ends',
    INVALID,
    () => issuer.signText(JSON.stringify(issuer.claims()).replace(/\}$/, `,"exp":${seconds() + 9000}}`)),
  ],
  ['a life of a year', INVALID, () => issuer.sign({ exp: seconds() + 365 * 86_400 })],
  ['valid from tomorrow on', 'access_token_not_yet_valid', () => issuer.sign({ nbf: seconds() + 80_000 })],
  [
    'issued tomorrow',
    'access_token_not_yet_valid',
    () => issuer.sign({ iat: seconds() + 80_000, exp: seconds() + 80_300 }),
  ],
  ['a beginning that is a text', INVALID, () => issuer.sign({ nbf: 'now' })],
  [
    'two principals',
    INVALID,
    () => issuer.signText(JSON.stringify(issuer.claims()).replace(/\}$/, ',"client_id":"lab"}')),
  ],
  [
    'two principals, one spelled with an escape',
    INVALID,
    () => issuer.signText(JSON.stringify(issuer.claims()).replace(/\}$/, ',"client\\u005fid":"lab"}')),
  ],
  ['another client', 'access_token_names_nobody', () => issuer.sign({ client_id: 'lab' })],
  ['a client that is not registered', 'access_token_names_nobody', () => issuer.sign({ client_id: 'nobody' })],
  ['a client with a path in it', 'access_token_names_nobody', () => issuer.sign({ client_id: '../other/desk' })],
  ['a client of another organisation', 'access_token_names_nobody', () => issuer.sign({ client_id: 'other/desk' })],
  ['a client that is a list', 'access_token_names_nobody', () => issuer.sign({ client_id: ['desk'] })],
  ['a binding to nothing known', 'access_token_other_certificate', () => issuer.sign({ cnf: { jkt: 'x' } })],
  ['a binding that is a text', 'access_token_other_certificate', () => issuer.sign({ cnf: 'x5t#S256' })],
  [
    'a binding to a certificate that was not shown',
    'access_token_other_certificate',
    () => issuer.sign({ cnf: { 'x5t#S256': 'A'.repeat(43) } }),
  ],
  ['no scope of ours', 'access_token_scope_invalid', () => issuer.sign({ scope: 'openid' })],
  ['a scope that is a list', 'access_token_scope_invalid', () => issuer.sign({ scope: ['mqtt:publish:%23'] })],
  ['a scope that cannot be read', 'access_token_scope_invalid', () => issuer.sign({ scope: 'mqtt:publish:a/%23/b' })],
  [
    'details that are no list',
    'access_token_scope_invalid',
    () => issuer.sign({ authorization_details: { type: 'mqtt' } }),
  ],
  // Form
  [
    'claims that were changed afterwards',
    INVALID,
    () =>
      changed(issuer.sign(), ([header = '', , signature = '']) => [
        header,
        b64(issuer.claims({ scope: 'mqtt:publish:%23' })),
        signature,
      ]),
  ],
  [
    'a signature with a bit changed',
    INVALID,
    () =>
      changed(issuer.sign(), ([header = '', claims = '', signature = '']) => {
        const bytes = Buffer.from(signature, 'base64url');
        bytes[5] = bytes[5]! ^ 1;
        return [header, claims, bytes.toString('base64url')];
      }),
  ],
  [
    'a signature in DER',
    INVALID,
    () =>
      changed(issuer.sign(), ([header = '', claims = '']) => [
        header,
        claims,
        b64(
          Buffer.concat([
            Buffer.of(0x30, 0x44, 2, 32),
            Buffer.alloc(32, 1),
            Buffer.of(2, 32),
            Buffer.alloc(32, 1),
          ]).toString('latin1'),
        ),
      ]),
  ],
  [
    'a signature of zeros',
    INVALID,
    () =>
      changed(issuer.sign(), ([header = '', claims = '']) => [header, claims, Buffer.alloc(64).toString('base64url')]),
  ],
  [
    'a signature of n and n',
    INVALID,
    () =>
      changed(issuer.sign(), ([header = '', claims = '']) => [
        header,
        claims,
        Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.repeat(2), 'hex').toString(
          'base64url',
        ),
      ]),
  ],
  ['no signature', INVALID, () => changed(issuer.sign(), ([header = '', claims = '']) => [header, claims, ''])],
  ['a signature with bits behind its end', INVALID, () => `${issuer.sign().slice(0, -1)}_`],
  ['padding', INVALID, () => `${issuer.sign()}==`],
  [
    'base64 in place of base64url',
    INVALID,
    () =>
      changed(issuer.sign({ note: '????>>>>' }), ([header = '', claims = '', signature = '']) => [
        header,
        claims.replace(/-/g, '+').replace(/_/g, '/'),
        `${signature}A`,
      ]),
  ],
  ['a fourth part', INVALID, () => `${issuer.sign()}.x`],
  ['the five parts of an encrypted token', INVALID, () => `${issuer.sign()}.x.y`],
  ['a line break at its end', INVALID, () => `${issuer.sign()}\n`],
  ['quotes around it', INVALID, () => `"${issuer.sign()}" `],
  ['claims that are a list', INVALID, () => issuer.signText('[]')],
  ['claims that are null', INVALID, () => issuer.signText('null')],
  ['claims that are not JSON', INVALID, () => issuer.signText('{iss:1}')],
  ['claims nested 100,000 deep', INVALID, () => issuer.signText(`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)],
  ['claims with a byte order mark', INVALID, () => issuer.signText(`\ufeff${JSON.stringify(issuer.claims())}`)],
  [
    'claims about the prototype',
    'access_token_names_nobody',
    () =>
      issuer.signText(
        `{"__proto__":{"client_id":"desk"},${JSON.stringify(issuer.claims({ client_id: 'nobody' })).slice(1)}`,
      ),
  ],
  ['nothing but dots', 'access_token_unknown_issuer', () => '..'],
];

describe('a forged access token', () => {
  it.each(cases)('with %s is refused: %s', async (_, reason, make) => {
    expect(await reasonFor(make())).toBe(reason);
  });

  it('is one of more than 100 that are tried here', () => {
    expect(cases.length).toBeGreaterThan(100);
  });

  it('is not let in by being as long as CONNECT can carry', async () => {
    const long = issuer.sign({ note: 'x'.repeat(60_000) });
    expect(long.length).toBeGreaterThan(65_535);
    const client = await RawClient.dial(server);
    const answer = client.connect({
      clientId,
      username: 'use-access-token',
      password: Buffer.from(long.slice(0, 65_535)),
    });
    expect((await answer).reasonCode).toBe(0x87);
    await client.vanish();
  });
});

describe('a token that was not forged', () => {
  it.each(['ES256', 'EdDSA', 'PS256', 'RS256'])('by %s is taken', async (alg) => {
    expect(await reasonFor(issuer.sign({}, {}, keyOf(alg)))).toBe('accepted');
  });

  it('may have several audiences, a type written in full, a clock that is a little off, and no id of its key where only one fits', async () => {
    expect(await reasonFor(issuer.sign({ aud: ['a', issuer.audience] }))).toBe('accepted');
    expect(await reasonFor(issuer.sign({}, { typ: 'application/AT+JWT' }))).toBe('accepted');
    expect(await reasonFor(issuer.sign({ iat: seconds() + 10, nbf: seconds() + 10 }))).toBe('accepted');
    expect(await reasonFor(issuer.sign({}, { kid: undefined }))).toBe('accepted');
  });

  it('stays one token where mathematics gives it a second signature: the same claims, no new rights', async () => {
    // JOSE demands no canonical ECDSA signature; what counts is that nothing is keyed by the bytes of it.
    expect(await reasonFor(malleated(issuer.sign()))).toBe('accepted');
  });

  it('is worth nothing in another organisation, nor for a device of the same name', async () => {
    expect(await reasonFor(issuer.sign(), 'a:other:desk')).toBe('access_token_unknown_issuer');
    expect(await reasonFor(issuer.sign(), 'd:demo:pump:pump-7')).toBe('access_token_names_nobody');
  });

  it('is not a password of another scheme', async () => {
    const client = await RawClient.dial(server);
    const login = { clientId, username: server.keys.desk!, password: Buffer.from(issuer.sign()) };
    expect((await client.connect(login)).reasonCode).toBe(0x87);
    await client.vanish();
  });
});

describe('keys that an operator gives', () => {
  it('are refused where they are private, weak, secret, or fit no algorithm', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const pem = (key: ReturnType<typeof createPublicKey>) => key.export({ type: 'spki', format: 'pem' }).toString();
    const add = (keys: string, more: object = {}) =>
      server.api.issuers.add('demo', { id: 'given', issuer: 'https://given.test', audience: 'x', keys, ...more });
    for (const keys of [
      ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      JSON.stringify({ keys: [ec.privateKey.export({ format: 'jwk' })] }),
      JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }),
      pem(weak.publicKey),
      '{"keys":[]}',
      'not a key',
    ]) {
      await expect(add(keys), keys.slice(0, 40)).rejects.toMatchObject({ code: 'invalid_request' });
    }
    await expect(add(pem(ec.publicKey), { algorithms: ['RS256'] })).rejects.toMatchObject({ code: 'invalid_request' });
    for (const algorithms of [['none'], ['HS256'], []]) {
      await expect(add(pem(ec.publicKey), { algorithms })).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  it('are not fetched without https, but from this machine', async () => {
    for (const jwksUrl of [
      'http://login.test/jwks',
      'http://127.0.0.1.evil.test/jwks',
      'file:///etc/passwd',
      'https://a:b@login.test/',
      'x',
    ]) {
      const added = server.api.issuers.add('demo', { id: 'far', issuer: 'https://far.test', audience: 'x', jwksUrl });
      await expect(added, jwksUrl).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });
});
