import {
  type ClientId,
  type Principal,
  principalName,
  REASONS,
  type RefusalReason,
  resolveTopic,
  type TraceStep,
  watsonStyle,
} from '@sallyport/model';
import type { Evidence, Grounds } from '../authentication/authenticator.ts';
import type { Find } from '../authentication/known-principal.ts';
import type { Requirement } from '../authentication/requirement.ts';
import { whenReady } from '../authentication/when-ready.ts';
import type { Authorizer, OpenDoor } from '../authorization/authorizer.ts';
import type { Refuse } from '../authorization/session-rights.ts';
import type { Attempt, GuessGuard } from '../guessing/guess-guard.ts';
import type { Admission, Arrival, ArrivalVerdict, Arrive } from './arrival.ts';
import type { BrokerLimits } from './limits.ts';
import { type JudgeLists, passLists } from './pass-lists.ts';

export interface ArriveOptions {
  /** Who may knock at all. */
  readonly lists: JudgeLists;
  /** Stops those who guess; left out: nobody is stopped. */
  readonly guesses?: Pick<GuessGuard, 'blocked' | 'failed' | 'passed'> | undefined;
  readonly satisfy: Requirement;
  readonly authorizer: Authorizer;
  readonly refuse: Refuse;
  /** By written form; tells whose a client id is. */
  readonly findPrincipal: Find;
  /** Whether a one-time code is owed; where it is left out, none ever is. */
  readonly owes?: (principal: Principal) => Owed | undefined | Promise<Owed | undefined>;
  /** Bounds that a session has by what its principal is. */
  readonly limitsOf: (principal: Principal) => Partial<BrokerLimits>;
}

/** The demand for a one-time code. */
interface Owed {
  readonly publishedFlow?: boolean;
  /** It was met before CONNACK. */
  readonly given?: boolean;
}

/**
 * Both doors of an arrival, on one page. Order: lists, transport, certificate, level, credential (who are you), then client id and
 * will (what may you touch). The trace grows by a step at each, and ends at the first that fails.
 */
export function arrivalDoors(options: ArriveOptions): Arrive {
  const { satisfy, authorizer, refuse } = options;
  return (arrival) => {
    const { evidence } = arrival;
    const { remoteAddress } = evidence.transport;
    const steps: TraceStep[] = [];
    const claimed = evidence.clientId.kind === 'plain' ? undefined : evidence.clientId.organisation;
    const listed = passLists(
      options.lists,
      remoteAddress,
      claimed === undefined ? [undefined] : [undefined, claimed],
      steps,
    );
    if (listed) return turnedAway(refuse, evidence, listed.reason, steps, listed.cure);
    steps.push(transportStep(evidence));
    const attempt = attemptOf(evidence);
    const blocked = options.guesses?.blocked(attempt);
    // Nobody guesses a certificate: who shows one may still come in by it, and by nothing else.
    if (blocked && evidence.transport.certificate === undefined) {
      steps.push(blocked.step);
      return turnedAway(refuse, evidence, 'too_many_attempts', steps, blocked.cure);
    }
    return whenReady(satisfy(evidence, steps), (satisfaction): ArrivalVerdict | Promise<ArrivalVerdict> => {
      if (blocked && !(satisfaction.outcome === 'satisfied' && satisfaction.grounds.certificate)) {
        steps.push(blocked.step);
        return turnedAway(refuse, evidence, 'too_many_attempts', steps, blocked.cure);
      }
      if (satisfaction.outcome === 'unsatisfied') {
        const { reason, cure = REASONS[reason].cure } = satisfaction;
        const verdict = turnedAway(refuse, evidence, reason, steps, cure);
        return whenReady(options.guesses?.failed(attempt, reason), () => verdict);
      }
      const { grounds, clientId } = satisfaction;
      options.guesses?.passed(attempt, principalName(grounds.principal));
      const organisation = organisationOf(grounds.principal);
      // A client id that names no organisation, or that a certificate has replaced: only now it is known whose lists hold.
      if (organisation !== claimed) {
        const late = passLists(options.lists, remoteAddress, [organisation], steps);
        if (late) return turnedAway(refuse, evidence, late.reason, steps, late.cure, grounds.principal);
      }
      const known = clientId === undefined ? arrival : { ...arrival, evidence: { ...evidence, clientId } };
      return whenReady(authorizer.load(organisation), () =>
        whenReady(strangersId(known.evidence.clientId, grounds.principal, options.findPrincipal), (stranger) =>
          whenReady(options.owes?.(grounds.principal), (owes) =>
            authorize(
              known,
              grounds,
              steps,
              stranger,
              owes && { ...owes, given: satisfaction.present === true },
              options,
            ),
          ),
        ),
      );
    });
  };
}

/** Who is claimed: by the client id, else by the user name. */
function attemptOf({ clientId, username, transport }: Evidence): Attempt {
  const owner = ownerOf(clientId);
  const claim = owner !== '' || username === undefined ? owner : `user:${username.slice(0, 128)}`;
  return { address: transport.remoteAddress, claim };
}

function authorize(
  { evidence, will }: Arrival,
  shown: Grounds,
  steps: TraceStep[],
  stranger: TraceStep | undefined,
  owes: Owed | undefined,
  { authorizer, refuse, limitsOf }: ArriveOptions,
): ArrivalVerdict {
  const { clientId, transport } = evidence;
  const { principal } = shown;
  const grounds: Grounds = owes ? { ...shown, presence: 'demanded' } : shown;
  const organisation = organisationOf(principal);
  const door = authorizer.open({
    grounds,
    clientId: clientId.text,
    transport,
    arrival: steps,
    ...(owes && !owes.given && { owes }),
  });
  const connect = door.connect();
  if (stranger !== undefined || connect.reason !== undefined) {
    steps.push(stranger ?? connect.step);
    const cure = `${principalName(principal)} may connect as ${door.ownClientId}; the client id was ${clientId.text === '' ? 'empty' : clientId.text}.`;
    return turnedAway(refuse, evidence, 'client_id_not_permitted', steps, cure, principal);
  }
  steps.push(connect.step);
  const scoped = watsonStyle(clientId) && (principal.kind === 'device' || principal.kind === 'gateway');
  if (will) {
    const topic =
      scoped && (principal.kind === 'device' || principal.kind === 'gateway')
        ? resolveTopic(principal, will.topic)
        : will.topic;
    if (!door.rights.permits('publish', topic)) {
      const refusal = door.rights.refuse('will', topic);
      return { outcome: 'refused', reason: refusal.reason, refusal };
    }
    steps.push({ stage: 'authorization', outcome: 'passed', text: `The will may be published to ${topic}.` });
  }
  return {
    outcome: 'admitted',
    session: {
      organisation,
      principal,
      grounds,
      clientId: clientId.text,
      scoped,
      watson: watsonStyle(clientId),
      ...assuranceOf(door),
      limits: limitsOf(principal),
    },
  };
}

/** Who owes a one-time code is let in, and may touch its unlock topics until it has given it. */
export function assuranceOf({
  rights,
  pendingRights,
}: Pick<OpenDoor, 'rights' | 'pendingRights'>): Pick<Admission, 'rights' | 'raised' | 'assurance'> {
  return pendingRights === undefined
    ? { rights, assurance: 'full' }
    : { rights: pendingRights, raised: rights, assurance: 'pending' };
}

/**
 * A client id in the form of a device or gateway belongs to that device, and one of a registered application to that
 * application, whatever a policy says: or a principal that may use any client id could sit on a stranger's session.
 */
function strangersId(
  clientId: ClientId,
  principal: Principal,
  find: Find,
): TraceStep | undefined | Promise<TraceStep | undefined> {
  if (clientId.kind === 'plain') return undefined;
  const owner = ownerOf(clientId);
  if (owner === principalName(principal)) return undefined;
  const step: TraceStep = {
    stage: 'authorization',
    outcome: 'failed',
    text: `The client id ${clientId.text} belongs to ${owner}.`,
    compared: { what: 'principal', found: principalName(principal), expected: owner },
  };
  if (clientId.kind !== 'application') return step;
  return whenReady(find(owner), (registered) => (registered ? step : undefined));
}

/** Written form of the principal that a client id names; empty for a plain one, which names nobody. */
export function ownerOf(clientId: ClientId): string {
  if (clientId.kind === 'plain') return '';
  const { organisation, id } = clientId;
  if (clientId.kind === 'application') return principalName({ kind: 'application', organisation, id });
  return principalName({ kind: clientId.kind, organisation, type: clientId.type, id });
}

function transportStep({ transport }: Evidence): TraceStep {
  const how = transport.secure
    ? `${transport.tlsVersion ?? 'TLS'} with ${transport.cipher ?? 'an unnamed cipher'}`
    : 'without TLS';
  return {
    stage: 'transport',
    outcome: 'passed',
    text: `${transport.transport} from ${transport.remoteAddress} to listener ${transport.listener}, ${how}.`,
  };
}

function turnedAway(
  refuse: Refuse,
  { clientId, transport, exchange }: Evidence,
  reason: RefusalReason,
  steps: readonly TraceStep[],
  cure: string,
  principal?: Principal,
): ArrivalVerdict {
  const organisation = principal
    ? organisationOf(principal)
    : clientId.kind === 'plain'
      ? undefined
      : clientId.organisation;
  const refusal = refuse({
    action: exchange?.renewal === true ? 'session' : 'connect',
    reason,
    reasonCode: REASONS[reason].reasonCode,
    ...(organisation === undefined ? {} : { organisation }),
    ...(principal ? { principal: principalName(principal) } : {}),
    clientId: clientId.text,
    address: transport.remoteAddress,
    listener: transport.listener,
    resource: clientId.text,
    steps,
    cure,
  });
  return { outcome: 'refused', reason, refusal };
}

function organisationOf(principal: Principal): string {
  if (principal.kind === 'operator') throw new TypeError('an operator cannot connect over MQTT');
  return principal.organisation;
}
