import { parsePrincipal, principalName, REASONS } from '@sallyport/model';
import type { Find } from '../authentication/known-principal.ts';
import { suspension } from '../authentication/standing.ts';
import { type Containments, containedFrom } from '../authorization/containments.ts';
import type { QuestionerOptions } from '../authorization/questioner.ts';

/** What stands against a principal whatever the policy permits: a suspension, of it or of its organisation, or a containment. */
export function heldAgainst(
  findPrincipal: Find,
  containments?: Pick<Containments, 'of'>,
): NonNullable<QuestionerOptions['heldAgainst']> {
  return async (name, action, resource) => {
    const known = await findPrincipal(name);
    const fallen = known && suspension(known);
    if (fallen) {
      const step = { stage: 'authentication', outcome: 'failed', text: fallen.text } as const;
      return { step, cure: fallen.cure ?? REASONS[fallen.reason].cure };
    }
    const principal = parsePrincipal(name);
    if (!principal.ok) return undefined;
    const level = containments?.of(principalName(principal.value));
    const text = containedFrom(level, principal.value, action, resource);
    if (text === undefined) return undefined;
    return { step: { stage: 'authorization', outcome: 'failed', text }, cure: REASONS.principal_contained.cure };
  };
}
