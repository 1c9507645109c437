import { presentTopic, principalName, type RefusalReason, type TraceStep } from '@sallyport/model';
import { type Grants, grantsPermit, grantText, nearestGrant, type Subject } from '@sallyport/policy';

/** What is told of a refusal. */
export interface Told {
  readonly reason: RefusalReason;
  readonly steps: readonly TraceStep[];
  readonly cure: string;
}

/** More would bury the answer. */
const MOST_TOLD = 6;

/** Adds to what the policy says what the grants of the session say; where the policy permits, they are the reason. */
export function describeGrants(
  judged: Told,
  grants: Grants,
  subject: Subject,
  action: 'publish' | 'subscribe' | 'receive',
  resource: string,
): Told {
  const granted = grantsPermit(grants, action, resource);
  const own = (topic: string): string => {
    const { principal } = subject;
    return principal.kind === 'device' || principal.kind === 'gateway' ? presentTopic(principal, topic) : topic;
  };
  const nearest = nearestGrant(grants, action, resource);
  const step: TraceStep = {
    stage: 'authorization',
    outcome: granted ? 'passed' : 'failed',
    text: `The grants of the session are ${listed(grants, own)}.`,
    compared: {
      what: action === 'subscribe' ? 'topic filter' : 'topic',
      found: own(resource),
      expected: nearest === undefined ? `nothing: no grant lets it ${action}` : own(nearest),
    },
  };
  const policyPermits = judged.steps.every(({ outcome }) => outcome !== 'failed');
  if (granted || !policyPermits) return { ...judged, steps: [...judged.steps, step] };
  const name = principalName(subject.principal);
  return {
    reason: 'not_granted',
    steps: [...judged.steps, step],
    cure:
      nearest === undefined
        ? `The policy permits it; ${name} came with nothing that lets it ${action}. Have it granted: ${action === 'publish' ? 'publish' : 'subscribe'}:${own(resource)}.`
        : `The policy permits it; ${name} came with grants that do not cover ${own(resource)}; the nearest is ${own(nearest)}. Use that, or have more granted.`,
  };
}

function listed(grants: Grants, own: (topic: string) => string): string {
  if (grants.length === 0) return 'none at all';
  const told = grants.slice(0, MOST_TOLD).map(({ action, filter }) => grantText({ action, filter: own(filter) }));
  const left = grants.length - told.length;
  return told.join(', ') + (left > 0 ? ` and ${left} more` : '');
}
