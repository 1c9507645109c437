import { SECURITY_LEVELS, type TraceStep } from '@sallyport/model';
import { expect, test } from 'vitest';
import { applicationKeyAuthenticator } from '../../src/authentication/application-key.ts';
import type { Authenticator } from '../../src/authentication/authenticator.ts';
import { deviceTokenAuthenticator } from '../../src/authentication/device-token.ts';
import type { KnownPrincipal } from '../../src/authentication/known-principal.ts';
import { requirement } from '../../src/authentication/requirement.ts';
import { application, countingTokens, device, evidence, NOW, PLAIN, token } from './known.ts';

const PUMP = 'device:demo/pump/pump-7';

function door(known: Record<string, KnownPrincipal>, first?: Authenticator) {
  const tokens = countingTokens();
  const findPrincipal = (name: string) => known[name];
  const satisfy = requirement({
    findPrincipal,
    organisationExists: (id) => id === 'demo',
    now: () => NOW,
    authenticators: [
      ...(first ? [{ proof: 'token' as const, authenticator: first }] : []),
      { proof: 'token', authenticator: deviceTokenAuthenticator({ findPrincipal, tokens, now: () => NOW }) },
      {
        proof: 'token',
        authenticator: applicationKeyAuthenticator({ findByKey: (key) => known[key], tokens, now: () => NOW }),
      },
    ],
  });
  const steps: TraceStep[] = [];
  return { satisfy: async (shown: Parameters<typeof satisfy>[0]) => satisfy(shown, steps), steps, tokens };
}

test('lets a device in that shows its token over TLS', async () => {
  const { satisfy } = door({ [PUMP]: device([token('c1', 'right')]) });
  expect(await satisfy(evidence('d:demo:pump:pump-7', 'use-token-auth', 'right'))).toMatchObject({
    outcome: 'satisfied',
    grounds: { credential: 'c1' },
  });
});

test('refuses a connection without TLS before it looks at the token', async () => {
  const { satisfy, tokens } = door({ [PUMP]: device([token('c1', 'right')]) });
  const answer = await satisfy(evidence('d:demo:pump:pump-7', 'use-token-auth', 'right', PLAIN));
  expect(answer).toMatchObject({ outcome: 'unsatisfied', reason: 'tls_required' });
  expect(answer).toMatchObject({
    cure: expect.stringContaining('TLS is required for device type pump and the client came on 1883'),
  });
  expect(tokens.compared).toBe(0);
});

test('applies the level of the principal where the client id names nobody', async () => {
  const { satisfy } = door({
    'a-demo-key1': application([token('c1', 'right')]),
    'application:demo/desk': application([token('c1', 'right')]),
  });
  expect(await satisfy(evidence('plain', 'a-demo-key1', 'right', PLAIN))).toMatchObject({ reason: 'tls_required' });
});

test('refuses a credential that is gone when the proof is done', async () => {
  const { satisfy } = door({
    'a-demo-key1': application([token('c1', 'right')]),
    'application:demo/desk': application([token('c1', 'right', { revokedAt: 1 })]),
  });
  expect(await satisfy(evidence('a:demo:desk', 'a-demo-key1', 'right'))).toMatchObject({
    reason: 'credential_revoked',
  });
});

test('is content without TLS where the level says tls-optional', async () => {
  const desk = application([token('c1', 'right')], 'tls-optional');
  const { satisfy } = door({ 'a-demo-key1': desk, 'application:demo/desk': desk });
  expect(await satisfy(evidence('plain', 'a-demo-key1', 'right', PLAIN))).toMatchObject({ outcome: 'satisfied' });
});

test.each(SECURITY_LEVELS)('never lets a right token stand in for a certificate that %s demands', async (security) => {
  const { satisfy } = door({ [PUMP]: device([token('c1', 'right')], { security }) });
  const answer = await satisfy(evidence('d:demo:pump:pump-7', 'use-token-auth', 'right'));
  const demanded = security === 'tls-certificate' || security === 'tls-certificate-and-token';
  expect(answer).toMatchObject(demanded ? { reason: 'certificate_required' } : { outcome: 'satisfied' });
});

test('asks no later authenticator when one throws', async () => {
  const broken: Authenticator = { name: 'broken', authenticate: () => Promise.reject(new Error('store is down')) };
  const { satisfy, tokens } = door({ [PUMP]: device([token('c1', 'right')]) }, broken);
  await expect(satisfy(evidence('d:demo:pump:pump-7', 'use-token-auth', 'right'))).rejects.toThrow('store is down');
  expect(tokens.compared).toBe(0);
});

test('tells the operator that the organisation is unknown', async () => {
  const { satisfy } = door({});
  expect(await satisfy(evidence('d:dmeo:pump:pump-7', 'use-token-auth', 'x'))).toMatchObject({
    reason: 'unknown_organisation',
  });
});

test('has no place for anonymous clients', async () => {
  const { satisfy } = door({});
  expect(await satisfy(evidence(''))).toMatchObject({ reason: 'missing_credential' });
  expect(await satisfy(evidence('d:demo:pump:pump-7'))).toMatchObject({ reason: 'missing_credential' });
});

test('keeps the steps in the order taken', async () => {
  const { satisfy, steps } = door({ [PUMP]: device([token('c1', 'right')]) });
  await satisfy(evidence('d:demo:pump:pump-7', 'use-token-auth', 'wrong'));
  expect(steps.map(({ stage, outcome }) => `${stage} ${outcome}`)).toEqual(['level passed', 'authentication failed']);
});
