import { principalName, type RefusalReason } from '@sallyport/model';
import type { Grounds } from './authenticator.ts';
import type { KnownCredential, KnownPrincipal } from './known-principal.ts';

export interface Fallen {
  readonly reason: RefusalReason;
  readonly text: string;
  readonly cure?: string | undefined;
}

/**
 * Why a principal may not act on a credential although the secret was right; undefined if it stands.
 * Asked when a session opens and again whenever the registry changes under a live one.
 */
export function standing(known: KnownPrincipal, credential: KnownCredential, now: number): Fallen | undefined {
  const name = principalName(known.principal);
  if (credential.revokedAt !== undefined) {
    const when = new Date(credential.revokedAt).toISOString();
    return {
      reason: 'credential_revoked',
      text: `${credential.kind} ${credential.id} of ${name} was revoked by ${credential.revokedBy ?? 'the system'} at ${when}.`,
    };
  }
  if (credential.expiresAt !== undefined && credential.expiresAt <= now) {
    return {
      reason: 'credential_expired',
      text: `${credential.kind} ${credential.id} of ${name} expired at ${new Date(credential.expiresAt).toISOString()}.`,
    };
  }
  return suspension(known);
}

/** The {@link standing} of the token or password among the grounds of a session; undefined if there is none, or it stands. */
export function secretStanding(
  known: KnownPrincipal,
  { credential: id, credentialKind, expiresAt }: Pick<Grounds, 'credential' | 'credentialKind' | 'expiresAt'>,
  now: number,
): Fallen | undefined {
  // Those two stand on what others say, which is asked elsewhere.
  if (credentialKind === 'certificate' || credentialKind === 'access-token') return undefined;
  if (credentialKind === 'directory' || credentialKind === 'hook') {
    if (expiresAt === undefined || expiresAt > now) return undefined;
    const text = `The login by ${credentialKind} of ${principalName(known.principal)} counted until ${new Date(expiresAt).toISOString()}.`;
    return { reason: 'credential_expired', text, cure: 'Log in again.' };
  }
  const credential = known.credentials.find((each) => each.id === id);
  if (credential) return standing(known, credential, now);
  return {
    reason: 'credential_revoked',
    text: `${credentialKind} ${id} of ${principalName(known.principal)} was removed.`,
  };
}

/** Why a principal may not act at all; undefined if it may. */
export function suspension(known: KnownPrincipal): Fallen | undefined {
  const name = principalName(known.principal);
  const kind = name.slice(0, name.indexOf(':'));
  if (known.suspendedAt !== undefined) {
    return {
      reason: 'principal_suspended',
      text: `${name} was suspended at ${new Date(known.suspendedAt).toISOString()}.`,
      cure: `If the cause is gone, resume it with \`sallyport ${kind} resume\`.`,
    };
  }
  if (known.organisationSuspendedAt !== undefined) {
    return {
      reason: 'principal_suspended',
      text: `The organisation of ${name} was suspended at ${new Date(known.organisationSuspendedAt).toISOString()}.`,
      cure: 'If the cause is gone, resume it with `sallyport org resume`.',
    };
  }
  return undefined;
}
