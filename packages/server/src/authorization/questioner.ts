import {
  clientIdOf,
  type Explanation,
  Failure,
  type Principal,
  parseClientId,
  parsePrincipal,
  parseSubscription,
  type Question,
  resolveFilter,
  resolveTopic,
  type TraceStep,
} from '@sallyport/model';
import { type Grants, MOST_GRANTS, parseGrant, type Subject } from '@sallyport/policy';
import { type DescribedDecision, describeDecision } from './describe-decision.ts';
import { describeGrants, type Told } from './describe-grants.ts';
import type { PolicyInForce } from './policy-store.ts';

export interface QuestionerOptions {
  readonly load: (organisation: string) => PolicyInForce | Promise<PolicyInForce>;
  /** Roles of a registered principal; undefined if there is none of that name. */
  readonly findRoles: (name: string) => readonly string[] | undefined | Promise<readonly string[] | undefined>;
  /** What the lists say of the imagined address: of the organisation, or of the server. Left out: there are none. */
  readonly judgeLists?: (
    address: string,
    organisation: string | undefined,
  ) => { readonly step: TraceStep } & ({ readonly passes: true } | { readonly passes: false; readonly cure: string });
  /** What stands against a principal whatever the policy permits; undefined if nothing does. Left out: nothing ever does. */
  readonly heldAgainst?: (
    name: string,
    action: Question['action'],
    resource: string,
  ) => Promise<{ readonly step: TraceStep; readonly cure: string } | undefined>;
  readonly now: () => number;
}

/** Asks the same `decide` as the broker: may this principal do this? Throws `invalid_request` for a question that makes no sense. */
export function questioner({
  load,
  findRoles,
  judgeLists,
  heldAgainst,
  now,
}: QuestionerOptions): (question: Question) => Promise<Explanation> {
  return async (question) => {
    const principal = readPrincipal(question.as);
    const roles = await findRoles(question.as);
    const steps: TraceStep[] = [];
    let unlisted: string | undefined;
    for (const scope of question.address === undefined ? [] : [undefined, principal.organisation]) {
      const answer = judgeLists?.(question.address ?? '', scope);
      if (answer && answer.step.outcome !== 'skipped') steps.push(answer.step);
      if (answer && !answer.passes) unlisted ??= answer.cure;
    }
    if (roles === undefined) {
      steps.push({
        stage: 'authentication',
        outcome: 'skipped',
        text: `${question.as} is not registered; the answer is for one with that name and no role.`,
      });
    }
    const clientId = question.clientId ?? clientIdOf(principal);
    const transport = question.transport ?? 'tls';
    const subject: Subject = {
      principal,
      clientId: question.action === 'connect' ? question.resource : clientId,
      roles: roles ?? [],
      ...(question.address === undefined ? {} : { address: question.address }),
      transport,
      secure: transport === 'tls' || transport === 'wss',
      assurance: 'full',
      credentialKind: 'token',
    };
    const resolved = resolve(principal, clientId, question);
    const held = await heldAgainst?.(question.as, question.action, resolved);
    if (held) steps.push(held.step);
    const barred = unlisted ?? held?.cure;
    const { policy } = await load(principal.organisation);
    const judged = describeDecision(policy, subject, question.action, resolved, now());
    const told = { ...judged, ...narrowed(question, principal, judged, subject, resolved) };
    const effect = told.reason === 'not_granted' ? 'deny' : judged.decision.effect;
    if (barred !== undefined) return { question, effect: 'deny', resolved, statements: [], steps, cure: barred };
    return {
      question,
      effect,
      resolved,
      statements: told.decision.statements,
      steps: [...steps, ...told.steps],
      ...(effect === 'permit' ? {} : { cure: told.cure }),
    };
  };
}

/** What the grants of the imagined session add to the answer of the policy. */
function narrowed(
  { action, grants: texts }: Question,
  principal: Principal,
  judged: DescribedDecision,
  subject: Subject,
  resolved: string,
): Told {
  if (texts === undefined || action === 'connect') return judged;
  return describeGrants(judged, readGrants(texts, principal), subject, action, resolved);
}

function readGrants(texts: readonly string[], principal: Principal): Grants {
  if (texts.length > MOST_GRANTS) throw new Failure('invalid_request', `There are at most ${MOST_GRANTS} grants.`);
  const device = principal.kind === 'device' || principal.kind === 'gateway' ? principal : undefined;
  return texts.map((text) => {
    const grant = parseGrant(text, device);
    if (grant.ok) return grant.value;
    throw new Failure('invalid_request', `The grant ${JSON.stringify(text.slice(0, 128))}: ${grant.problem}.`);
  });
}

function readPrincipal(name: string): Exclude<Principal, { kind: 'operator' }> {
  const parsed = parsePrincipal(name);
  if (!parsed.ok) throw new Failure('invalid_request', parsed.problem);
  if (parsed.value.kind === 'operator') {
    throw new Failure('invalid_request', `${name} is an operator; operators use the API and never connect over MQTT.`);
  }
  return parsed.value;
}

function resolve(principal: Principal, clientId: string, { action, resource: asked }: Question): string {
  const shared = action === 'subscribe' ? parseSubscription(asked) : undefined;
  const resource = shared?.ok ? shared.value.filter : asked;
  if (action === 'connect' || (principal.kind !== 'device' && principal.kind !== 'gateway')) return resource;
  const session = parseClientId(clientId);
  if (!session.ok || session.value.kind === 'plain') return resource;
  return action === 'subscribe' ? resolveFilter(principal, resource) : resolveTopic(principal, resource);
}
