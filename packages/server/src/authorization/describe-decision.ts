import { presentTopic, principalName, type RefusalReason, type TraceStep } from '@sallyport/model';
import {
  type Action,
  type ConsideredStatement,
  type Decision,
  DecisionTrace,
  decide,
  nearestPermitted,
  type Policy,
  type Subject,
} from '@sallyport/policy';

export interface DescribedDecision {
  readonly decision: Decision;
  /** Meaningful only if it was denied. */
  readonly reason: Extract<RefusalReason, 'topic_not_permitted' | 'denied_by_statement'>;
  readonly steps: readonly TraceStep[];
  readonly cure: string;
}

/** Statements that came near without applying; more would bury the answer. */
const NEAR = 3;

/** Decides, with the trace where nothing permits it, and says in words what was compared with what and what would be permitted. */
export function describeDecision(
  policy: Policy,
  subject: Subject,
  action: Action,
  resource: string,
  now: number,
): DescribedDecision {
  const decision = decide(policy, subject, action, resource, now);
  const name = principalName(subject.principal);
  const asked = `${name} ${action} ${quoted(resource)}`;
  if (decision.effect === 'permit') {
    const text = `Permitted by ${decision.statements.join(', ')}: ${asked}.`;
    return {
      decision,
      reason: 'topic_not_permitted',
      steps: [{ stage: 'authorization', outcome: 'passed', text, statements: decision.statements }],
      cure: '',
    };
  }
  if (decision.why === 'denied_by_statement') {
    const text = `Denied by ${decision.statements.join(', ')}, and a deny overrides every permit: ${asked}.`;
    return {
      decision,
      reason: 'denied_by_statement',
      steps: [{ stage: 'authorization', outcome: 'failed', text, statements: decision.statements }],
      cure: `Read statement ${decision.statements.join(', ')} with \`sallyport policy show\`; change it if the denial is not meant.`,
    };
  }
  // Only now: a trace hears of every statement, and there may be ten thousand.
  const trace = new DecisionTrace();
  decide(policy, subject, action, resource, now, trace);
  const nearest = nearestPermitted(policy, subject, action, resource, now);
  const expected = nearest === undefined ? undefined : inOwnWords(subject, nearest);
  const step: TraceStep = {
    stage: 'authorization',
    outcome: 'failed',
    text: trace.malformed === undefined ? `No statement permits: ${asked}.` : `${asked}: ${trace.malformed}.`,
    compared: {
      what: action === 'connect' ? 'client id' : action === 'subscribe' ? 'topic filter' : 'topic',
      found: inOwnWords(subject, resource),
      expected: expected ?? `nothing: no statement permits ${name} to ${action}`,
    },
  };
  return {
    decision,
    reason: 'topic_not_permitted',
    steps: [step, ...nearMisses(trace.considered)],
    cure: cureOf(subject, action, resource, expected),
  };
}

function cureOf(subject: Subject, action: Action, resource: string, expected: string | undefined): string {
  const name = principalName(subject.principal);
  if (subject.principal.kind === 'application' && /^iot-2\/(evt|cmd)\//.test(resource)) {
    const full = resource.replace(/^iot-2\//, 'iot-2/type/TYPE/id/DEVICE/');
    return `${resource} is the short form that devices use for their own topics; an application names the device: ${full}.`;
  }
  const add = `add a statement to the policy of the organisation that permits ${name} to ${action} ${quoted(resource)}`;
  if (expected === undefined)
    return `${name} may ${action} nothing with its roles (${subject.roles.join(', ') || 'none'}): change its role, or ${add}.`;
  return `${inOwnWords(subject, resource)} matches no permitted resource; nearest permitted: ${expected}. Use that, or ${add}.`;
}

/** Statements that would have applied but for a role or a condition: these are the surprising ones. */
function nearMisses(considered: readonly ConsideredStatement[]): TraceStep[] {
  return considered
    .filter(({ outcome }) => outcome === 'condition' || outcome === 'role')
    .slice(0, NEAR)
    .map(({ id, compared }) => ({
      stage: 'authorization',
      outcome: 'skipped',
      text: `Statement ${id} does not apply: ${compared.what} is ${quoted(compared.found)}.`,
      compared: { what: compared.what, found: compared.found, expected: compared.expected },
      statements: [id],
    }));
}

/** A device is told its own topics in the short form that it uses. */
function inOwnWords({ principal }: Subject, resource: string): string {
  return principal.kind === 'device' || principal.kind === 'gateway' ? presentTopic(principal, resource) : resource;
}

function quoted(text: string): string {
  return text === '' ? 'an empty client id' : text;
}
