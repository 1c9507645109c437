import { expect, test } from 'vitest';
import type { KnownPrincipal } from '../../src/authentication/known-principal.ts';
import { passwordAuthenticator } from '../../src/authentication/password.ts';
import { countingTokens, device, evidence, NOW, token } from './known.ts';

const alice: KnownPrincipal = device([
  { id: 'p1', kind: 'password', hash: 'hash of s3cret', username: 'alice', createdAt: NOW - 1 },
]);

function authenticator(byUsername: Record<string, KnownPrincipal>, byName: Record<string, KnownPrincipal> = {}) {
  const hashed: string[] = [];
  const { authenticate } = passwordAuthenticator({
    findByUsername: (name) => byUsername[name],
    findPrincipal: (name) => byName[name],
    tokens: countingTokens(),
    verifyHash: async (password, hash) => {
      hashed.push(hash);
      return hash === `hash of ${Buffer.from(password).toString()}`;
    },
    decoyHash: 'decoy',
    now: () => NOW,
  });
  return { authenticate: async (...args: Parameters<typeof authenticate>) => authenticate(...args), hashed };
}

test('accepts a user name with its password under any client id', async () => {
  const { authenticate } = authenticator({ alice });
  expect(await authenticate(evidence('mosq-1', 'alice', 's3cret'))).toMatchObject({
    outcome: 'accepted',
    grounds: { credential: 'p1', credentialKind: 'password' },
  });
});

test('hashes even for an unknown name', async () => {
  const { authenticate, hashed } = authenticator({ alice });
  expect(await authenticate(evidence('mosq-1', 'bob', 's3cret'))).toMatchObject({ reason: 'unknown_identity' });
  expect(hashed).toEqual(['decoy']);
});

test('rejects a wrong password', async () => {
  const { authenticate } = authenticator({ alice });
  expect(await authenticate(evidence('mosq-1', 'alice', 'guess'))).toMatchObject({ reason: 'wrong_secret' });
});

test('finds the misspelt user name of a device', async () => {
  const { authenticate } = authenticator({});
  expect(await authenticate(evidence('d:demo:pump:pump-7', 'use-auth-token', 'x'))).toMatchObject({
    reason: 'wrong_user_name',
    cure: 'The user name was `use-auth-token`; devices use `use-token-auth`.',
  });
});

test('recognises a token in the user name and does not show it', async () => {
  const known = { 'device:demo/pump/pump-7': device([token('c1', 'TheToken123')]) };
  const { authenticate } = authenticator({}, known);
  const verdict = await authenticate(evidence('d:demo:pump:pump-7', 'TheToken123', 'use-token-auth'));
  expect(verdict).toMatchObject({ cure: expect.stringContaining('swapped') });
  expect(JSON.stringify(verdict)).not.toContain('TheToken123');
});

test('lets a failing hash refuse, by throwing', async () => {
  const { authenticate } = passwordAuthenticator({
    findByUsername: () => alice,
    findPrincipal: () => undefined,
    tokens: countingTokens(),
    verifyHash: () => Promise.reject(new Error('queue full')),
    decoyHash: 'decoy',
    now: () => NOW,
  });
  await expect(authenticate(evidence('x', 'alice', 's3cret'))).rejects.toThrow('queue full');
});

test('lets a revoked newer password not hide an older one that is in force', async () => {
  const changed = device([
    { id: 'p2', kind: 'password', hash: 'hash of new', username: 'alice', createdAt: NOW, revokedAt: NOW },
    { id: 'p1', kind: 'password', hash: 'hash of s3cret', username: 'alice', createdAt: NOW - 1 },
  ]);
  const { authenticate } = authenticator({ alice: changed });
  expect(await authenticate(evidence('mosq-1', 'alice', 's3cret'))).toMatchObject({ grounds: { credential: 'p1' } });
  expect(await authenticate(evidence('mosq-1', 'alice', 'new'))).toMatchObject({ reason: 'wrong_secret' });
});
