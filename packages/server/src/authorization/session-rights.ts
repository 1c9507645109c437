import {
  isUnlockTopic,
  presentTopic,
  principalName,
  REASONS,
  type Refusal,
  type RefusedAction,
  type TraceStep,
} from '@sallyport/model';
import { bind, type Decision, type Grants, grantsPermit, type Subject } from '@sallyport/policy';
import type { ArrivalTrace } from './arrival-trace.ts';
import { type Containments, containedFrom } from './containments.ts';
import { describeDecision } from './describe-decision.ts';
import { describeGrants } from './describe-grants.ts';
import type { PolicyHome, PolicyInForce, PolicyStore } from './policy-store.ts';

export type Refuse = (refusal: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>) => Refusal;

export interface SessionRightsOptions {
  readonly organisation: string;
  readonly subject: Subject;
  /** What the session may touch once it has given its one-time code; only while it owes one. */
  readonly raised?: Pick<SessionRights, 'permits'>;
  readonly policies: PolicyStore;
  readonly refuse: Refuse;
  readonly now: () => number;
  readonly arrival: ArrivalTrace;
  readonly listener: string;
  /** Who is contained at the moment; absent: nobody ever is. */
  readonly containments?: Containments | undefined;
  /** What the session may do at most; absent: whatever the policy permits. */
  readonly grants?: Grants;
}

/** What one session may touch: what both the organisation's policy, bound to who the session is, and its grants permit. */
export class SessionRights {
  readonly #options: SessionRightsOptions;
  readonly #home: PolicyHome;
  #inForce: PolicyInForce | undefined;
  #bound: ReturnType<typeof bind> | undefined;

  constructor(options: SessionRightsOptions) {
    this.#options = options;
    this.#home = options.policies.home(options.organisation);
  }

  /** Changes whenever an earlier answer may no longer hold. -1: nothing is permitted at the moment. */
  get version(): number {
    const { policies, containments } = this.#options;
    const version = policies.currentAt(this.#home)?.version ?? -1;
    return version < 0 ? version : version + (containments?.version ?? 0) * 2 ** 32;
  }

  permits(action: 'connect' | 'publish' | 'subscribe' | 'receive', resource: string): boolean {
    return this.#contained(action, resource) === undefined && this.#permitsUncontained(action, resource);
  }

  /** Whether nothing but a containment stands in the way, so that its end gives it back. */
  withholds(action: 'subscribe', resource: string): boolean {
    return this.#contained(action, resource) !== undefined && this.#permitsUncontained(action, resource);
  }

  #permitsUncontained(action: 'connect' | 'publish' | 'subscribe' | 'receive', resource: string): boolean {
    const { grants, raised, subject } = this.#options;
    if (grants !== undefined && action !== 'connect' && !grantsPermit(grants, action, resource)) {
      // No third party can know that a code is owed: its word narrows what comes after it.
      if (raised === undefined || !isUnlockTopic(subject.principal, resource)) return false;
    }
    return this.#decide(action, resource)?.effect === 'permit';
  }

  /** Gives back what a silent session does not need; it is worked out again when it is. */
  rest(): void {
    this.#options.arrival.rest();
    this.#bound = undefined;
  }

  /** Gives a refusal its trace, its cure and its ticket. */
  refuse(
    action: 'publish' | 'subscribe' | 'receive' | 'will',
    resource: string,
    extra: readonly TraceStep[] = [],
    cure: string = REASONS.quota_exceeded.cure,
  ): Refusal {
    const { organisation, subject, policies, refuse, arrival, listener, grants, now } = this.#options;
    const asked = action === 'will' ? 'publish' : action;
    const inForce = policies.currentAt(this.#home);
    const judged = inForce ? describeDecision(inForce.policy, subject, asked, resource, now()) : NO_POLICY;
    const told = grants === undefined ? judged : describeGrants(judged, grants, subject, asked, resource);
    // A message that the policy lets a pending session send may still be one that has nothing to do with its code.
    const owing = this.#options.raised?.permits(asked, resource) === true;
    const contained = this.#contained(asked, resource);
    const limited = extra.find((step) => step.outcome === 'failed' && step.stage === 'limits');
    const reason = limited
      ? 'quota_exceeded'
      : contained
        ? 'principal_contained'
        : owing
          ? 'unlock_required'
          : told.reason;
    const shown =
      subject.principal.kind === 'device' || subject.principal.kind === 'gateway'
        ? presentTopic(subject.principal, resource)
        : resource;
    return refuse({
      action: action satisfies RefusedAction,
      reason,
      reasonCode: REASONS[reason].reasonCode,
      organisation,
      principal: principalName(subject.principal),
      clientId: subject.clientId,
      ...(subject.address === undefined ? {} : { address: subject.address }),
      listener,
      resource: shown === resource ? resource : `${shown} (${resource})`,
      steps: limited
        ? [...arrival.steps, ...extra]
        : contained
          ? [...arrival.steps, { stage: 'authorization', outcome: 'failed', text: contained }, ...extra]
          : [...arrival.steps, ...(owing ? [OWING] : told.steps), ...extra],
      cure: limited
        ? cure
        : contained
          ? REASONS.principal_contained.cure
          : owing
            ? REASONS.unlock_required.cure
            : told.cure,
    });
  }

  /** Why its containment forbids it; undefined if it does not. */
  #contained(action: 'connect' | 'publish' | 'subscribe' | 'receive', resource: string): string | undefined {
    const { containments, subject } = this.#options;
    const level = containments?.of(principalName(subject.principal));
    return containedFrom(level, subject.principal, action, resource);
  }

  #decide(action: 'connect' | 'publish' | 'subscribe' | 'receive', resource: string): Decision | undefined {
    const { policies, subject, now } = this.#options;
    const inForce = policies.currentAt(this.#home);
    if (!inForce) return undefined;
    if (inForce !== this.#inForce || !this.#bound) {
      this.#inForce = inForce;
      this.#bound = bind(inForce.policy, subject);
    }
    return this.#bound.decide(action, resource, now());
  }
}

const OWING: TraceStep = {
  stage: 'authorization',
  outcome: 'failed',
  text: 'The policy permits this to the principal, but its session waits for its one-time code and may use its unlock topics only.',
  compared: { what: 'assurance', found: 'pending', expected: 'full' },
};

const NO_POLICY = {
  reason: 'authenticator_unavailable',
  steps: [
    {
      stage: 'authorization',
      outcome: 'failed',
      text: 'The policy of the organisation is being read or cannot be read.',
    },
  ],
  cure: REASONS.authenticator_unavailable.cure,
} as const;
