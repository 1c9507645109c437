import { clientIdOf, principalName, type RefusalReason, type TraceStep } from '@sallyport/model';
import { type Grants, PUBLISHED_UNLOCK_ROLE, type Subject } from '@sallyport/policy';
import type { CredentialKind } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import { ArrivalTrace } from './arrival-trace.ts';
import type { Containments } from './containments.ts';
import { describeDecision } from './describe-decision.ts';
import type { PolicyInForce, PolicyStore } from './policy-store.ts';
import { type Refuse, SessionRights } from './session-rights.ts';

export interface AuthorizerOptions {
  readonly policies: PolicyStore;
  /** Left out: nobody is ever contained. */
  readonly containments?: Containments;
  readonly refuse: Refuse;
  readonly now: () => number;
}

/** Who stands at the second door: proven, with the client id that it asks for. */
export interface Comer {
  readonly grounds: {
    readonly principal: Subject['principal'];
    readonly credentialKind: CredentialKind;
    readonly roles: readonly string[];
    readonly grants?: Grants;
  };
  readonly clientId: string;
  readonly transport: TransportFacts;
  /** Present: a one-time code is owed, and until then only what the policy permits to pending sessions may be touched. */
  readonly owes?: { readonly publishedFlow?: boolean };
  /** Steps passed so far: the beginning of the trace of each later refusal. */
  readonly arrival: readonly TraceStep[];
}

/** The second door, for one principal. */
export interface OpenDoor {
  /** Everything that the principal may touch. */
  readonly rights: SessionRights;
  /** What it may touch while it owes a one-time code; absent if it owes none. */
  readonly pendingRights?: SessionRights;
  /** Client id that the principal has by right. */
  readonly ownClientId: string;
  connect(): { readonly step: TraceStep; readonly reason?: RefusalReason };
}

export interface Authorizer {
  /** Makes the organisation's policy present; to be awaited before `open`. Rejects if it cannot be read: then nobody is let in. */
  load(organisation: string): PolicyInForce | Promise<PolicyInForce>;
  open(comer: Comer): OpenDoor;
}

/** The second door: what may you touch. */
export function authorizer({ policies, containments, refuse, now }: AuthorizerOptions): Authorizer {
  return {
    load: (organisation) => policies.load(organisation),
    open({ grounds, clientId, transport, owes, arrival }) {
      const { principal } = grounds;
      if (principal.kind === 'operator') throw new TypeError(`${principalName(principal)} cannot connect over MQTT`);
      const subject: Subject = {
        principal,
        clientId,
        roles: grounds.roles,
        address: transport.remoteAddress,
        transport: transport.transport,
        secure: transport.secure,
        assurance: 'full',
        credentialKind: grounds.credentialKind,
      };
      const { organisation } = principal;
      const { listener } = transport;
      const trace = new ArrivalTrace(arrival);
      const grants = grounds.grants === undefined ? {} : { grants: grounds.grants };
      const rights = new SessionRights({
        organisation,
        subject,
        policies,
        containments,
        refuse,
        now,
        arrival: trace,
        listener,
        ...grants,
      });
      const pending = owes && {
        ...subject,
        assurance: 'pending' as const,
        roles: owes.publishedFlow ? [...grounds.roles, PUBLISHED_UNLOCK_ROLE] : grounds.roles,
      };
      return {
        rights,
        ...(pending && {
          pendingRights: new SessionRights({
            organisation,
            subject: pending,
            raised: rights,
            policies,
            containments,
            refuse,
            now,
            arrival: trace,
            listener,
            ...grants,
          }),
        }),
        ownClientId: clientIdOf(principal),
        connect() {
          const inForce = policies.current(organisation);
          if (!inForce) return { step: POLICY_ABSENT, reason: 'authenticator_unavailable' };
          const told = describeDecision(inForce.policy, subject, 'connect', clientId, now());
          const step = told.steps[0] ?? POLICY_ABSENT;
          return told.decision.effect === 'permit' ? { step } : { step, reason: 'client_id_not_permitted' };
        },
      };
    },
  };
}

const POLICY_ABSENT: TraceStep = {
  stage: 'authorization',
  outcome: 'failed',
  text: 'The policy of the organisation is being read or cannot be read.',
};
