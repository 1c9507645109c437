import { expect, test } from 'vitest';
import { deviceTokenAuthenticator } from '../../src/authentication/device-token.ts';
import type { KnownPrincipal } from '../../src/authentication/known-principal.ts';
import { countingTokens, device, evidence, NOW, token } from './known.ts';

function authenticator(known: Record<string, KnownPrincipal>) {
  const tokens = countingTokens();
  const { authenticate } = deviceTokenAuthenticator({ findPrincipal: (name) => known[name], tokens, now: () => NOW });
  return { authenticate, tokens };
}

const PUMP = 'device:demo/pump/pump-7';
const ID = 'd:demo:pump:pump-7';

test('accepts the token of the device that the client id names, without a turn of the event loop', () => {
  const { authenticate } = authenticator({ [PUMP]: device([token('c1', 'right')]) });
  expect(authenticate(evidence(ID, 'use-token-auth', 'right'))).toMatchObject({
    outcome: 'accepted',
    grounds: { principal: { id: 'pump-7' }, credential: 'c1', credentialKind: 'token' },
  });
});

test('accepts either of two tokens while one replaces the other', () => {
  const { authenticate } = authenticator({ [PUMP]: device([token('new', 'b'), token('old', 'a')]) });
  expect(authenticate(evidence(ID, 'use-token-auth', 'a'))).toMatchObject({ grounds: { credential: 'old' } });
  expect(authenticate(evidence(ID, 'use-token-auth', 'b'))).toMatchObject({ grounds: { credential: 'new' } });
});

test('abstains from other user names', () => {
  const { authenticate } = authenticator({});
  expect(authenticate(evidence(ID, 'use-auth-token', 'x'))).toMatchObject({ outcome: 'abstained' });
});

test('rejects a wrong token and does not repeat it', () => {
  const { authenticate } = authenticator({ [PUMP]: device([token('c1', 'right')]) });
  const verdict = authenticate(evidence(ID, 'use-token-auth', 'wrong-secret'));
  expect(verdict).toMatchObject({ outcome: 'rejected', reason: 'wrong_secret' });
  expect(JSON.stringify(verdict)).not.toContain('wrong-secret');
});

test('says that a wrong token ends in a line break, as one that was read from a file does', () => {
  const { authenticate } = authenticator({ [PUMP]: device([token('c1', 'right')]) });
  const verdict = authenticate(evidence(ID, 'use-token-auth', 'right\n'));
  expect(verdict).toMatchObject({ reason: 'wrong_secret', cure: expect.stringContaining('cut it off') });
});

test('tells the line that registers an unknown device', () => {
  const { authenticate } = authenticator({});
  expect(authenticate(evidence(ID, 'use-token-auth', 'x'))).toMatchObject({
    cure: expect.stringContaining('`sallyport device add pump/pump-7 --org demo`'),
  });
});

test('compares for an unknown device as often as for one with a token', () => {
  const known = authenticator({ [PUMP]: device([token('c1', 'right')]) });
  expect(known.authenticate(evidence(ID, 'use-token-auth', 'wrong'))).toMatchObject({ reason: 'wrong_secret' });
  const unknown = authenticator({});
  expect(unknown.authenticate(evidence(ID, 'use-token-auth', 'wrong'))).toMatchObject({ reason: 'unknown_identity' });
  expect(unknown.tokens.compared).toBe(known.tokens.compared);
});

test('says when the device is registered as a gateway', () => {
  const gateway = device([token('c1', 'right')], {
    principal: { kind: 'gateway', organisation: 'demo', type: 'pump', id: 'pump-7' },
  });
  const { authenticate } = authenticator({ 'gateway:demo/pump/pump-7': gateway });
  expect(authenticate(evidence(ID, 'use-token-auth', 'right'))).toMatchObject({
    reason: 'unknown_identity',
    cure: 'Begin the client id with g:.',
  });
});

test('tells who revoked the token and when, if it is shown again', () => {
  const revoked = token('c1', 'right', { revokedAt: NOW - 500, revokedBy: 'operator:ann' });
  const { authenticate } = authenticator({ [PUMP]: device([revoked]) });
  const verdict = authenticate(evidence(ID, 'use-token-auth', 'right'));
  expect(verdict).toMatchObject({ outcome: 'rejected', reason: 'credential_revoked' });
  expect(verdict).toMatchObject({
    step: { text: expect.stringContaining('revoked by operator:ann at 2026-01-31T11:59:59') },
  });
});

test('tells that no valid token is left when a wrong one is shown', () => {
  const revoked = token('c1', 'right', { revokedAt: NOW - 500, revokedBy: 'operator:ann' });
  const { authenticate } = authenticator({ [PUMP]: device([revoked]) });
  expect(authenticate(evidence(ID, 'use-token-auth', 'guess'))).toMatchObject({
    reason: 'no_valid_credential',
    step: { text: expect.stringContaining('has no valid token: token c1 was revoked by operator:ann') },
  });
});

test.each([
  ['an expired token', { credentials: [token('c1', 'right', { expiresAt: NOW })] }, 'credential_expired'],
  ['a suspended device', { suspendedAt: NOW - 1 }, 'principal_suspended'],
  ['a device of a suspended organisation', { organisationSuspendedAt: NOW - 1 }, 'principal_suspended'],
])('rejects %s although the token is right', (_name, more, reason) => {
  const { authenticate } = authenticator({ [PUMP]: device([token('c1', 'right')], more) });
  expect(authenticate(evidence(ID, 'use-token-auth', 'right'))).toMatchObject({ outcome: 'rejected', reason });
});

test.each([[undefined], ['']])('rejects an empty password (%s)', (password) => {
  const { authenticate } = authenticator({ [PUMP]: device([token('c1', '')]) });
  expect(authenticate(evidence(ID, 'use-token-auth', password))).toMatchObject({ reason: 'missing_credential' });
});

test('rejects the user name of devices with the client id of an application', () => {
  const { authenticate } = authenticator({});
  expect(authenticate(evidence('a:demo:desk', 'use-token-auth', 'x'))).toMatchObject({ reason: 'wrong_user_name' });
});
