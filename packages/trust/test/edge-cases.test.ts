import { createPublicKey, generateKeyPairSync, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  derForgeries,
  derPair,
  ecdsaForgeries,
  ed25519Forgeries,
  negativeDer,
  rsaForgeries,
  SMALL_ORDER_KEYS,
  SMALL_ORDER_POINTS,
} from '../../../tests/forged-signatures.ts';
import { readSealed, type SealedHeader, sealMessage } from '../src/sealed-message.ts';
import { generateSealingKey, sealingKeyOf } from '../src/sealing-key.ts';
import { beginSession, joinSession, type SessionKeys } from '../src/sealing-session.ts';
import { secretBox } from '../src/secret-box.ts';
import { readSigned, signMessage } from '../src/signed-message.ts';
import { generateSigningKey, jwkOf, type Signer, signerOf, verificationKeyOf, verifies } from '../src/signing-key.ts';
import { decodeCbor, encodeCbor } from '../src/strict-cbor.ts';
import { verifySignature } from '../src/verify-signature.ts';

const MESSAGE = Buffer.from('what was signed');
const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

describe('signatures of commands and statements (COSE, JWS)', () => {
  async function signer(algorithm: 'ES256' | 'EdDSA'): Promise<Signer> {
    const made = await signerOf(await generateSigningKey(algorithm));
    if (made === undefined) throw new Error('no signer');
    return made;
  }

  it.each([
    ['ES256', ecdsaForgeries],
    ['EdDSA', ed25519Forgeries],
  ] as const)('by %s are the one that was made, and nothing like it', async (algorithm, forgeriesOf) => {
    const { publicKey, sign: signed } = await signer(algorithm);
    const good = Buffer.from(await signed(MESSAGE));
    expect(await verifies(publicKey, MESSAGE, good)).toBe(true);
    for (const [name, bytes] of forgeriesOf(good)) {
      expect(await verifies(publicKey, MESSAGE, bytes), name).toBe(false);
    }
    expect(await verifies(publicKey, Buffer.concat([MESSAGE, Buffer.of(0)]), good)).toBe(false);
  });

  it('by a key of small order count for nothing, however it is written', async () => {
    const identity = hex(`01${'00'.repeat(31)}`);
    for (const key of SMALL_ORDER_KEYS) {
      const verificationKey = { algorithm: 'EdDSA', bytes: hex(key) } as const;
      // R = the key or the identity, S = 0: valid for all or for every eighth message where the key is taken.
      for (const r of [identity, hex(key)]) {
        for (let round = 0; round < 24; round++) {
          const signature = Buffer.concat([r, Buffer.alloc(32)]);
          expect(await verifies(verificationKey, Buffer.from(`message ${round}`), signature), key).toBe(false);
        }
      }
      const x = Buffer.from(key, 'hex').toString('base64url');
      expect(verificationKeyOf({ kty: 'OKP', crv: 'Ed25519', x }), key).toBeUndefined();
    }
  });

  it('by a point that is not on its curve, or none, count for nothing', async () => {
    const { publicKey } = await signer('ES256');
    const good = Buffer.alloc(64, 1);
    const off = Uint8Array.from(publicKey.bytes);
    off[64] = (off[64] ?? 0) ^ 1;
    for (const bytes of [off, new Uint8Array(65), publicKey.bytes.subarray(1), Uint8Array.of(4), new Uint8Array(0)]) {
      expect(await verifies({ algorithm: 'ES256', bytes: Uint8Array.from(bytes) }, MESSAGE, good)).toBe(false);
    }
  });

  it('say by which algorithm they are, and are judged by no other', async () => {
    const [es, ed] = [await signer('ES256'), await signer('EdDSA')];
    for (const encoding of ['cose', 'jws'] as const) {
      const payload = encoding === 'cose' ? new Map([[1, 'x']]) : { iss: 'x' };
      const signed = await signMessage(encoding, 'sallyport-command', payload, ed, { keyId: 'AAAA' });
      const read = readSigned(encoding, 'sallyport-command', signed);
      expect(await read?.signedBy(ed.publicKey)).toBe(true);
      expect(await read?.signedBy(es.publicKey)).toBe(false);
      expect(readSigned(encoding, 'sallyport-statement', signed)).toBeUndefined();
    }
    const jws = Buffer.from(
      await signMessage('jws', 'sallyport-command', { iss: 'x' }, ed, { keyId: 'AAAA' }),
    ).toString();
    const [head = '', ...rest] = jws.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
    for (const alg of ['none', 'HS256', 'ES256', 'ES384', 'RS256', 'Ed25519ph', '', 'eddsa', null, ['EdDSA']]) {
      const other = Buffer.from(JSON.stringify({ ...header, alg })).toString('base64url');
      const read = readSigned('jws', 'sallyport-command', Buffer.from([other, ...rest].join('.')));
      expect(await read?.signedBy(ed.publicKey), String(alg)).not.toBe(true);
      expect(await read?.signedBy(es.publicKey), String(alg)).not.toBe(true);
    }
  });

  it('name their key in one form', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = publicKey.export({ format: 'jwk' });
    const key = verificationKeyOf(jwk);
    expect(key && jwkOf(key)).toEqual({ kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y });
    for (const change of [{ x: `${jwk.x}A` }, { x: `${jwk.x}=` }, { y: 'AA' }, { crv: 'P-384' }, { kty: 'OKP' }]) {
      expect(verificationKeyOf({ ...jwk, ...change })).toBeUndefined();
    }
  });
});

describe('signatures of certificates and lists (X.509)', () => {
  const ECDSA_SHA256 = hex('300a06082a8648ce3d040302');
  const RSA_SHA256 = hex('300d06092a864886f70d01010b0500');
  const ED25519 = hex('300506032b6570');
  const spki = (key: KeyObject) => new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  const judge = (algorithm: Uint8Array, publicKey: Uint8Array, signature: Uint8Array) =>
    verifySignature({ content: MESSAGE, algorithm, publicKey, signature });

  it('by ECDSA are two positive minimal integers in a sequence, and nothing like it', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const raw = () => sign('sha256', MESSAGE, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const good = raw();
    const key = spki(privateKey);
    expect(await judge(ECDSA_SHA256, key, derPair(good.subarray(0, 32), good.subarray(32)))).toBe(true);
    for (const [name, bytes] of derForgeries(good)) expect(await judge(ECDSA_SHA256, key, bytes), name).toBe(false);
    let negative = raw();
    while ((negative[0] ?? 0) < 0x80 || negative[0] === 0 || negative[32] === 0) negative = raw();
    expect(await judge(ECDSA_SHA256, key, negativeDer(negative))).toBe(false);
    for (const size of [1, 31, 33, 64, 200]) {
      expect(await judge(ECDSA_SHA256, key, derPair(Buffer.alloc(size, 0x7f), Buffer.alloc(size, 0x7f)))).toBe(false);
    }
  });

  it('by RSA have the one padding of RFC 8017, and nothing like it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = spki(privateKey);
    expect(await judge(RSA_SHA256, key, sign('sha256', MESSAGE, privateKey))).toBe(true);
    for (const [name, bytes] of rsaForgeries(MESSAGE, privateKey)) {
      expect(await judge(RSA_SHA256, key, bytes), name).toBe(false);
    }
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    expect(await judge(RSA_SHA256, spki(weak), sign('sha256', MESSAGE, weak))).toBe(false);
  });

  it('by Ed25519 are reduced, and those of a key of small order count for nothing', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const good = sign(null, MESSAGE, privateKey);
    expect(await judge(ED25519, spki(privateKey), good)).toBe(true);
    for (const [name, bytes] of ed25519Forgeries(good)) {
      expect(await judge(ED25519, spki(privateKey), bytes), name).toBe(false);
    }
    const prefix = hex('302a300506032b6570032100');
    for (const key of SMALL_ORDER_KEYS) {
      const signature = Buffer.concat([hex(`01${'00'.repeat(31)}`), Buffer.alloc(32)]);
      expect(await judge(ED25519, Uint8Array.from([...prefix, ...hex(key)]), signature), key).toBe(false);
    }
  });

  it('are judged by the algorithm that fits the key', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    const ecSignature = sign('sha256', MESSAGE, ec);
    expect(await judge(RSA_SHA256, spki(ec), ecSignature)).toBe(false);
    expect(await judge(ECDSA_SHA256, spki(rsa), sign('sha256', MESSAGE, rsa))).toBe(false);
    expect(await judge(ED25519, spki(ec), ecSignature)).toBe(false);
    expect(await judge(ECDSA_SHA256, spki(k1), sign('sha256', MESSAGE, k1))).toBe(false);
    const sha1 = hex('300906072a8648ce3d0401');
    expect(await judge(sha1, spki(ec), sign('sha1', MESSAGE, ec))).toBe(false);
    for (const algorithm of [hex(''), hex('3000'), hex('06082a8648ce3d040302'), hex('300a06082a8648ce3d0403')]) {
      expect(await judge(algorithm, spki(ec), ecSignature)).toBe(false);
    }
  });
});

describe('sealed payloads (AES-128-GCM, HPKE)', () => {
  const parties = {
    sender: 'application:demo/desk',
    senderKeyId: 'AAAA',
    recipient: 'device:demo/pump/pump-7',
    recipientKeyId: 'BBBB',
    session: 7,
  };
  const binding = { topic: 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/sealed', sender: parties.sender };
  const content = { format: 'json', bytes: hex('7b7d') };
  let keys: SessionKeys;
  let header: SealedHeader;
  beforeAll(async () => {
    const [own, other] = [
      await sealingKeyOf(await generateSealingKey()),
      await sealingKeyOf(await generateSealingKey()),
    ];
    if (!own || !other) throw new Error('no keys');
    const begun = await beginSession(parties, own, other.publicKey);
    keys = begun.keys;
    const { senderKeyId, recipientKeyId, session } = parties;
    header = { senderKeyId, recipientKeyId, session, encapsulated: begun.encapsulated, counter: 3 };
  });

  it('open as they were sealed, and with no bit, tag or length changed', async () => {
    const sealed = await sealMessage('cose', content, header, keys, binding);
    expect(await readSealed('cose', sealed)?.open(keys, binding)).toEqual(content);
    const parts = decodeCbor(sealed.subarray(1)) as [Uint8Array, Map<unknown, unknown>, Uint8Array];
    const [head, open, body] = parts;
    const again = (bytes: Uint8Array) => Uint8Array.from([0xd0, ...encodeCbor([head, open, bytes])]);
    const tries: Uint8Array[] = [];
    for (let cut = 1; cut <= body.length; cut++) tries.push(body.slice(0, body.length - cut));
    for (let at = 0; at < body.length * 8; at += 3) {
      const flipped = Uint8Array.from(body);
      flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7));
      tries.push(flipped);
    }
    tries.push(Uint8Array.from([...body, 0]), Uint8Array.from([0, ...body]), new Uint8Array(16), new Uint8Array(0));
    for (const bytes of tries) expect(await readSealed('cose', again(bytes))?.open(keys, binding)).toBeUndefined();
  });

  it('take no nonce, tag or algorithm but their own in JWE', async () => {
    const sealed = Buffer.from(await sealMessage('jwe', content, header, keys, binding)).toString();
    const opens = async (text: string) =>
      (await readSealed('jwe', Buffer.from(text))?.open(keys, binding)) !== undefined;
    expect(await opens(sealed)).toBe(true);
    const [head = '', key = '', iv = '', body = '', tag = ''] = sealed.split('.');
    const bytes = (text: string) => Buffer.from(text, 'base64url');
    const ivs = [0, 1, 8, 11, 13, 16, 32].map((size) => Buffer.alloc(size, 1));
    const changed = bytes(iv);
    changed[11] = (changed[11] ?? 0) ^ 1;
    for (const other of [...ivs, changed, Buffer.alloc(12)]) {
      expect(await opens([head, key, other.toString('base64url'), body, tag].join('.'))).toBe(false);
    }
    for (const size of [0, 1, 4, 8, 12, 15]) {
      expect(await opens([head, key, iv, body, bytes(tag).subarray(0, size).toString('base64url')].join('.'))).toBe(
        false,
      );
    }
    expect(await opens([head, key, iv, body, `${tag}AA`].join('.'))).toBe(false);
    const fields = JSON.parse(bytes(head).toString()) as object;
    for (const change of [
      { enc: 'A256GCM' },
      { enc: 'A128CBC-HS256' },
      { alg: 'A128KW' },
      { zip: 'DEF' },
      { crit: ['x'] },
    ]) {
      const other = Buffer.from(JSON.stringify({ ...fields, ...change })).toString('base64url');
      expect(await opens([other, key, iv, body, tag].join('.'))).toBe(false);
    }
  });

  it('agree on nothing with a key that has no secret to agree on', async () => {
    const own = await sealingKeyOf(await generateSealingKey());
    if (!own) throw new Error('no key');
    for (const point of SMALL_ORDER_POINTS) {
      await expect(beginSession(parties, own, hex(point)), point).rejects.toThrow();
      await expect(joinSession(parties, own, own.publicKey, hex(point)), point).rejects.toThrow();
      await expect(joinSession(parties, own, hex(point), own.publicKey), point).rejects.toThrow();
    }
    for (const size of [0, 1, 31, 33, 64]) {
      await expect(beginSession(parties, own, new Uint8Array(size).fill(9))).rejects.toThrow();
      await expect(joinSession(parties, own, own.publicKey, new Uint8Array(size).fill(9))).rejects.toThrow();
    }
  });
});

describe('secrets in the database (AES-256-GCM)', () => {
  it('open with no byte, length or context changed', () => {
    const box = secretBox(Buffer.alloc(32, 7), 'a test');
    const sealed = box.seal(MESSAGE, 'whose');
    expect(Buffer.from(box.open(sealed, 'whose'))).toEqual(MESSAGE);
    for (let cut = 0; cut < sealed.length; cut++) expect(() => box.open(sealed.slice(0, cut), 'whose')).toThrow();
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 0x80;
      expect(() => box.open(changed, 'whose')).toThrow();
    }
    expect(() => box.open(sealed, 'whos')).toThrow();
    expect(() => secretBox(Buffer.alloc(32, 7), 'another').open(sealed, 'whose')).toThrow();
    expect(() => secretBox(Buffer.alloc(32, 8), 'a test').open(sealed, 'whose')).toThrow();
  });
});

describe('HKDF, as it is used here', () => {
  /* RFC 5869 appendix A.1 to A.3. */
  it.each([
    [
      '0b'.repeat(22),
      '000102030405060708090a0b0c',
      'f0f1f2f3f4f5f6f7f8f9',
      42,
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      '0b'.repeat(22),
      '',
      '',
      42,
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
  ])('gives the keys of RFC 5869', (ikm, salt, info, length, okm) => {
    expect(Buffer.from(hkdfSync('sha256', hex(ikm), hex(salt), hex(info), length)).toString('hex')).toBe(okm);
  });

  it('gives no more than 255 blocks, and does not begin anew', () => {
    expect(Buffer.from(hkdfSync('sha256', 'k', '', '', 255 * 32))).toHaveLength(255 * 32);
    expect(() => hkdfSync('sha256', 'k', '', '', 255 * 32 + 1)).toThrow();
  });
});
