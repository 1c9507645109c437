import { type Principal, principalName } from '@sallyport/model';
import type { Grounds } from './authenticator.ts';
import type { Introspection } from './introspection.ts';
import type { KnownIssuer } from './known-issuer.ts';
import type { Fallen } from './standing.ts';

export interface IssuerTrust {
  readonly findIssuer: (name: {
    readonly organisation: string;
    readonly id: string;
  }) => KnownIssuer | undefined | Promise<KnownIssuer | undefined>;
  readonly introspection: Pick<Introspection, 'standing'>;
}

/** Why the access token of a live session does not count any more; undefined if it does, or if there is none among its grounds. */
export async function issuerStanding(
  trust: IssuerTrust | undefined,
  {
    issuer: grounds,
    principal,
    credential,
    expiresAt,
  }: Pick<Grounds, 'issuer' | 'principal' | 'credential' | 'expiresAt'>,
  now: number,
): Promise<Fallen | undefined> {
  if (grounds === undefined) return undefined;
  if (expiresAt !== undefined && expiresAt <= now) {
    const text = `Access token ${credential} of ${principalName(principal)} expired at ${new Date(expiresAt).toISOString()}.`;
    return { reason: 'access_token_expired', text };
  }
  const organisation = organisationOf(principal);
  const issuer = organisation === undefined ? undefined : await trust?.findIssuer({ organisation, id: grounds.id });
  if (issuer === undefined) {
    return {
      reason: 'access_token_unknown_issuer',
      text: `Issuer ${grounds.id} of access token ${credential} was removed.`,
    };
  }
  if (issuer.version !== grounds.version) {
    const text = `The settings of issuer ${issuer.id} were changed; access token ${credential} has to be judged by the new ones.`;
    return { reason: 'rights_changed', text };
  }
  const revoked = grounds.names && issuer.revocations?.find(grounds.names);
  if (revoked !== undefined) return { reason: 'access_token_revoked', text: revoked };
  const { token, sealed } = grounds;
  if (token === undefined) return undefined;
  return trust?.introspection.standing(issuer, { token, ...(sealed === undefined ? {} : { sealed }) });
}

function organisationOf(principal: Principal): string | undefined {
  return principal.kind === 'operator' ? undefined : principal.organisation;
}
