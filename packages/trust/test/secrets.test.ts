import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { constantTimeEqual, generateToken, passwordHasher, tokenHasher } from '../src/secrets.ts';

describe('generateToken', () => {
  it('makes tokens of 24 letters and digits, never the same', () => {
    const tokens = Array.from({ length: 200 }, generateToken);
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9]{24}$/);
    expect(new Set(tokens).size).toBe(200);
  });
});

describe('tokenHasher', () => {
  it('matches a token, as text or as bytes, against its own hash only', () => {
    const hasher = tokenHasher(randomBytes(32));
    const token = generateToken();
    const hash = hasher.hash(token);
    expect(hash).toHaveLength(32);
    expect(hasher.matches(token, hash)).toBe(true);
    expect(hasher.matches(Buffer.from(token), hash)).toBe(true);
    expect(hasher.matches(`${token}x`, hash)).toBe(false);
    expect(hasher.matches('', hash)).toBe(false);
    expect(hasher.matches(token, hash.subarray(1))).toBe(false);
    expect(hasher.matches(token, Buffer.alloc(0))).toBe(false);
  });

  it('hashes differently under another key and refuses a short one', () => {
    const hash = tokenHasher(randomBytes(32)).hash('a token');
    expect(tokenHasher(randomBytes(32)).matches('a token', hash)).toBe(false);
    expect(() => tokenHasher(randomBytes(16))).toThrow('16 bytes');
  });
});

describe('passwordHasher', () => {
  it('keeps argon2id hashes with 19 MiB and two passes and tells right from wrong', async () => {
    const hasher = passwordHasher();
    const hash = await hasher.hash('correct horse');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.matches(Buffer.from('correct horse'), hash)).toBe(true);
    expect(await hasher.matches('correct horsf', hash)).toBe(false);
    expect(await hasher.hash('correct horse')).not.toBe(hash);
  });

  it('has a decoy that costs the same and that nothing matches', async () => {
    const hasher = passwordHasher();
    expect(hasher.decoy).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.matches('', hasher.decoy)).toBe(false);
    expect(passwordHasher().decoy).not.toBe(hasher.decoy);
  });

  it.each([
    '',
    'plain',
    '$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA',
    '$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaA',
  ])('matches nothing against the stored value %j', async (stored) => {
    expect(await passwordHasher().matches('x', stored)).toBe(false);
  });

  it('refuses a password that is too long', async () => {
    const hasher = passwordHasher();
    await expect(hasher.hash('x'.repeat(1025))).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await hasher.matches('x'.repeat(1025), hasher.decoy)).toBe(false);
  });

  it('answers no, not with an error, to bytes that are no text', async () => {
    const hasher = passwordHasher();
    expect(await hasher.matches(new Uint8Array([0xff, 0xfe, 0x80]), hasher.decoy)).toBe(false);
    expect(await hasher.matches(new Uint8Array([0]), hasher.decoy)).toBe(false);
  });

  it('refuses what would wait beyond the bound and serves the others', async () => {
    const hasher = passwordHasher({ concurrency: 1, queue: 1 });
    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd'].map((word) => hasher.matches(word, hasher.decoy)));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(outcomes[2]).toMatchObject({ reason: { code: 'queue_full' } });
    expect(await hasher.matches('e', hasher.decoy)).toBe(false);
  });
});

describe('constantTimeEqual', () => {
  it('compares texts and bytes of any length', () => {
    expect(constantTimeEqual('secret', Buffer.from('secret'))).toBe(true);
    expect(constantTimeEqual('secret', 'secreT')).toBe(false);
    expect(constantTimeEqual('secret', 'secret ')).toBe(false);
    expect(constantTimeEqual('', '')).toBe(true);
  });
});
