import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ClientSigner, clientAssertion, signerAtHand } from '../src/client-assertion.ts';
import { clientCredentials } from '../src/client-credentials.ts';

const FACTS = { clientId: 'panel', issuer: 'https://as.test' };
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Whether an assertion is signed by the key in the one way that JWS knows. */
function holds(assertion: string): boolean {
  const [header, claims, signature = ''] = assertion.split('.');
  const key = { key: createPublicKey(P256.publicKey.export({ type: 'spki', format: 'pem' })) } as const;
  const text = Buffer.from(`${header}.${claims}`);
  return verify('sha256', text, { ...key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
}
const es256 = (dsaEncoding: 'der' | 'ieee-p1363'): ClientSigner => ({
  algorithm: 'ES256',
  sign: async (data) => sign('sha256', data, { key: P256.privateKey, dsaEncoding }),
});

describe('an assertion of a client', () => {
  it('is good with a signature as PKCS#11 gives it, and as key services do, also where r or s are short', async () => {
    for (let count = 0; count < 300; count++) {
      expect(holds(await clientAssertion(FACTS, es256('der')))).toBe(true);
    }
    expect(holds(await clientAssertion(FACTS, es256('ieee-p1363')))).toBe(true);
  });

  it('is for one authorization server, for a minute, and never the same', async () => {
    const made = await Promise.all([1, 2].map(() => clientAssertion({ ...FACTS, keyId: 'k1' }, es256('der'))));
    const [first, second] = made.map((each) =>
      each
        .split('.')
        .slice(0, 2)
        .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))),
    );
    expect(first?.[0]).toEqual({ alg: 'ES256', kid: 'k1' });
    expect(first?.[1]).toMatchObject({ iss: 'panel', sub: 'panel', aud: 'https://as.test' });
    expect(first?.[1].exp - first?.[1].iat).toBe(60);
    expect(first?.[1].jti).not.toBe(second?.[1].jti);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'c2lnbmF0dXJl'],
    ['too little', new Uint8Array(63)],
    ['too much', new Uint8Array(65)],
    ['DER that is cut off', Uint8Array.of(0x30, 0x06, 0x02, 0x01, 0x01, 0x02)],
    ['DER with something behind it', Uint8Array.of(0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00)],
    [
      'DER of a larger curve',
      Uint8Array.of(0x30, 70, 0x02, 33, ...new Uint8Array(33).fill(1), 0x02, 33, ...new Uint8Array(33)),
    ],
  ])('is not sent with %s for a signature', async (_what, answer) => {
    const signer = { algorithm: 'ES256', sign: () => answer as Uint8Array } as const;
    await expect(clientAssertion(FACTS, signer)).rejects.toMatchObject({ code: 'key_material_invalid' });
  });

  it('takes no DER for Ed25519, which has none', async () => {
    const signer = { ...es256('der'), algorithm: 'EdDSA' } as const;
    await expect(clientAssertion(FACTS, signer)).rejects.toMatchObject({ code: 'key_material_invalid' });
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    expect(await clientAssertion(FACTS, await signerAtHand(pem))).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{86}$/);
  });
});

describe('client credentials', () => {
  const settings = { tokenEndpoint: 'https://as.test/token', clientId: 'panel', issuer: 'https://as.test' };
  it.each([
    ['nothing to prove the client by', {}],
    ['a secret and a signer', { clientSecret: 'x', signer: es256('der') }],
    ['a key and a signer', { privateKey: 'x', signer: es256('der') }],
    ['a signer of another algorithm', { signer: { algorithm: 'RS256', sign: () => new Uint8Array() } as never }],
    ['a signer that is no function', { signer: { algorithm: 'ES256', sign: 'x' } as never }],
    ['a signer without the issuer', { signer: es256('der'), issuer: undefined as never }],
  ])('are refused at once with %s', (_what, more) => {
    expect(() => clientCredentials({ ...settings, ...more })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});
