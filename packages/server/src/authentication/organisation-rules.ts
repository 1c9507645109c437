import { Failure, filterCovers, principalName, type TraceStep } from '@sallyport/model';
import { type Grants, grantText } from '@sallyport/policy';
import type { CredentialKind } from '../events/events.ts';
import type { Grounds } from './authenticator.ts';
import type { Requirement, Satisfaction } from './requirement.ts';
import { whenReady } from './when-ready.ts';

export interface OrganisationRules {
  /** Kinds of proof that the organisation takes; absent: all. */
  readonly kinds?: readonly CredentialKind[];
  /** What a third party lets a principal do at most. Rejects with `directory_unavailable`. */
  readonly grantsOf?: (principal: string) => Grants | Promise<Grants>;
}

/**
 * Holds a client that has proven who it is against the rules of its organisation: whether this kind of proof is taken there, whatever the
 * client id claimed, and what a directory or database lets it do. Grants that came with the proof and those of the directory must both
 * grant.
 */
export function withOrganisationRules(
  satisfy: Requirement,
  rulesOf: (organisation: string) => OrganisationRules | undefined,
): Requirement {
  return (evidence, steps) => whenReady(satisfy(evidence, steps), (satisfaction) => hold(satisfaction, steps));

  function hold(satisfaction: Satisfaction, steps: TraceStep[]): Satisfaction | Promise<Satisfaction> {
    if (satisfaction.outcome === 'unsatisfied') return satisfaction;
    const { grounds } = satisfaction;
    const { principal } = grounds;
    const rules = principal.kind === 'operator' ? undefined : rulesOf(principal.organisation);
    if (!rules) return satisfaction;
    const { kinds, grantsOf } = rules;
    if (kinds && !proofsOf(grounds).every((kind) => kinds.includes(kind))) {
      return refused(steps, 'credential_kind_not_accepted', {
        text: `The organisation does not take this kind of proof from ${principalName(principal)}.`,
        compared: { what: 'kind of proof', found: grounds.credentialKind, expected: kinds.join(', ') },
      });
    }
    return grantsOf ? grant(satisfaction, grantsOf, steps) : satisfaction;
  }
}

async function grant(
  satisfaction: Extract<Satisfaction, { outcome: 'satisfied' }>,
  grantsOf: NonNullable<OrganisationRules['grantsOf']>,
  steps: TraceStep[],
): Promise<Satisfaction> {
  const { grounds } = satisfaction;
  const name = principalName(grounds.principal);
  try {
    const granted = await grantsOf(name);
    const grants = both(granted, grounds.grants);
    const text = `The directory of the organisation grants ${granted.length} filter(s) to ${name}.`;
    steps.push({ stage: 'authorization', outcome: 'passed', text });
    return { ...satisfaction, grounds: { ...grounds, grants, directoryGrants: grantsText(granted) } };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return refused(steps, 'directory_unavailable', { text: error.message }, error.cure);
  }
}

/** Grants as one text, whatever their order. */
export function grantsText(grants: Grants): string {
  return grants.map(grantText).sort().join(' ');
}

function proofsOf({ credentialKind, proofs }: Grounds): readonly CredentialKind[] {
  return proofs?.includes('certificate') && credentialKind !== 'certificate'
    ? ['certificate', credentialKind]
    : [credentialKind];
}

/** What two lists grant together: of two filters the narrower one, where one holds the other. What only overlaps is granted by neither. */
function both(one: Grants, other: Grants | undefined): Grants {
  if (other === undefined) return one;
  return one.flatMap((a) =>
    other.flatMap((b) => {
      if (a.action !== b.action) return [];
      if (filterCovers(a.filter, b.filter)) return [b];
      return filterCovers(b.filter, a.filter) ? [a] : [];
    }),
  );
}

function refused(
  steps: TraceStep[],
  reason: 'credential_kind_not_accepted' | 'directory_unavailable',
  step: Pick<TraceStep, 'text' | 'compared'>,
  cure?: string,
): Satisfaction {
  steps.push({ stage: 'authentication', outcome: 'failed', ...step });
  return { outcome: 'unsatisfied', reason, ...(cure === undefined ? {} : { cure }) };
}
