import { principalName, type RefusalReason } from '@sallyport/model';
import type { Grounds } from './authenticator.ts';
import type { Find } from './known-principal.ts';
import { standing } from './standing.ts';

export type GroundsStanding =
  | 'stands'
  | { readonly ended: RefusalReason; readonly text: string; readonly cure?: string };

/** Judges the grounds of a live session anew, from the registry as it is now. */
export function regrounds({ findPrincipal, now }: { readonly findPrincipal: Find; readonly now: () => number }) {
  return async (grounds: Grounds): Promise<GroundsStanding> => {
    const name = principalName(grounds.principal);
    const known = await findPrincipal(name);
    if (!known) return { ended: 'unknown_identity', text: `${name} was removed.` };
    const credential = known.credentials.find(({ id }) => id === grounds.credential);
    if (!credential)
      return {
        ended: 'credential_revoked',
        text: `${grounds.credentialKind} ${grounds.credential} of ${name} was removed.`,
      };
    const fallen = standing(known, credential, now());
    if (fallen) {
      return { ended: fallen.reason, text: fallen.text, ...(fallen.cure === undefined ? {} : { cure: fallen.cure }) };
    }
    const before = [...grounds.roles].sort().join();
    const after = [...known.roles].sort().join();
    if (before === after) return 'stands';
    return {
      ended: 'rights_changed',
      text: `The roles of ${name} were changed from ${before || 'none'} to ${after || 'none'}.`,
    };
  };
}
