import { Failure } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { accessTokenProof } from '../src/access-token-proof.ts';

const { signal } = new AbortController();
const jwt = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;

describe('a proof by access token', () => {
  it('is renewed between seven and nine tenths of its life, spread over a fleet', async () => {
    for (const random of [0, 0.5, 0.999]) {
      const clock = { now: () => 1_000_000, random: () => random };
      const proof = accessTokenProof(() => ({ token: 'a', expiresAt: 1_100_000 }), 5, clock);
      await proof.begin(signal);
      expect(proof.dueIn?.()).toBeCloseTo(70_000 + random * 15_000, 3);
    }
  });

  it('reads the end of a JWT, and does not guess that of another token', async () => {
    const proof = (token: string) => accessTokenProof(() => token, 5, { now: () => 0, random: () => 0 });
    const known = proof(jwt({ exp: 100 }));
    await known.begin(signal);
    expect(known.dueIn?.()).toBe(70_000);
    for (const token of ['opaque', 'a.b.c', jwt({ exp: 'soon' })]) {
      const unknown = proof(token);
      await unknown.begin(signal);
      expect(unknown.dueIn?.(), token).toBeUndefined();
    }
  });

  it('serves for another connection in the first half of its life, and not after a refusal', async () => {
    let time = 0;
    let fetched = 0;
    const proof = accessTokenProof(() => ({ token: `t${++fetched}`, expiresAt: time + 100 }), 4, { now: () => time });
    const next = async () => (await proof.begin(signal)).password;
    expect(await next()).toBe('t1');
    time = 49;
    expect(await next()).toBe('t1');
    expect(proof.refused?.()).toBe(true);
    expect(await next()).toBe('t2');
    expect(proof.refused?.()).toBe(false);
    time = 120;
    expect(await next()).toBe('t3');
  });

  it('travels as authentication data by MQTT 5 and as password by MQTT 3.1.1', async () => {
    expect(await accessTokenProof(() => 'tok', 4).begin(signal)).toEqual({
      username: 'use-access-token',
      password: 'tok',
    });
    expect(await accessTokenProof(() => 'tok', 5).begin(signal)).toEqual({
      method: 'ACCESS-TOKEN',
      data: new TextEncoder().encode('tok'),
    });
  });

  it('names what could not be fetched, and leaves a failure as it is', async () => {
    const failing = (cause: Error) =>
      accessTokenProof(() => {
        throw cause;
      }, 5).begin(signal);
    await expect(failing(new Error('ECONNRESET'))).rejects.toMatchObject({ code: 'token_unavailable' });
    await expect(failing(new Failure('token_refused', 'no'))).rejects.toMatchObject({ code: 'token_refused' });
  });

  it.each(['', 'two words', 'line\n', 'x'.repeat(70_000)])('is no text that cannot be a token', async (text) => {
    await expect(accessTokenProof(() => text, 5).begin(signal)).rejects.toMatchObject({ code: 'token_unavailable' });
  });
});
