import type { SecurityLevel } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import type { Grounds } from '../../src/authentication/authenticator.ts';
import type { KnownPrincipal } from '../../src/authentication/known-principal.ts';
import { regrounds } from '../../src/authentication/regrounds.ts';
import type { TransportFacts } from '../../src/events/transport-facts.ts';

const NOW = 1_700_000_000_000;
const principal = { kind: 'device', organisation: 'demo', type: 'pump', id: '7' } as const;
const grounds: Grounds = { principal, credential: 'c1', credentialKind: 'token', roles: ['a', 'b'] };
const known: KnownPrincipal = {
  principal,
  roles: ['b', 'a'],
  security: 'tls-optional',
  credentials: [{ id: 'c1', kind: 'token', hash: new Uint8Array(32), createdAt: 0 }],
};
const [credential] = known.credentials;
const plain: TransportFacts = {
  listener: 'mqtt-plain',
  transport: 'tcp',
  secure: false,
  remoteAddress: '192.0.2.1',
  remotePort: 50_000,
  localPort: 1883,
};
const secure: TransportFacts = { ...plain, transport: 'tls', secure: true };

function judge(now: KnownPrincipal | undefined, transport?: TransportFacts, on: Grounds = grounds) {
  return regrounds({ findPrincipal: () => now, now: () => NOW })(on, transport);
}

describe('grounds of a live session', () => {
  it('stand while nothing has changed', async () => {
    expect(await judge(known, plain)).toBe('stands');
  });

  it.each<[string, KnownPrincipal | undefined, string]>([
    ['removed', undefined, 'unknown_identity'],
    ['without its credential', { ...known, credentials: [] }, 'credential_revoked'],
    ['revoked', { ...known, credentials: [{ ...credential!, revokedAt: 1 }] }, 'credential_revoked'],
    ['expired', { ...known, credentials: [{ ...credential!, expiresAt: NOW }] }, 'credential_expired'],
    ['suspended', { ...known, suspendedAt: 1 }, 'principal_suspended'],
    ['suspended with its organisation', { ...known, organisationSuspendedAt: 1 }, 'principal_suspended'],
    ['of other roles', { ...known, roles: ['a'] }, 'rights_changed'],
  ])('have gone when the principal is %s', async (_, now, ended) => {
    expect(await judge(now, secure)).toMatchObject({ ended });
  });

  it.each<[SecurityLevel, TransportFacts | undefined, string | undefined]>([
    ['tls-optional', plain, undefined],
    ['tls-token', plain, 'tls_required'],
    ['tls-token', secure, undefined],
    ['tls-certificate-or-token', secure, undefined],
    ['tls-certificate', secure, 'certificate_required'],
    ['tls-certificate-and-token', secure, 'certificate_required'],
    ['tls-certificate', undefined, undefined],
  ])('are measured by level %s', async (security, transport, ended) => {
    const standing = await judge({ ...known, security }, transport);
    if (ended === undefined) expect(standing).toBe('stands');
    else expect(standing).toMatchObject({ ended });
  });

  it('are measured by every proof that was shown', async () => {
    const both: Grounds = { ...grounds, proofs: ['certificate', 'token'] };
    expect(await judge({ ...known, security: 'tls-certificate-and-token' }, secure, both)).toBe('stands');
  });
});
