import { type ClientId, principalName, type RefusalReason, type SecurityLevel, type TraceStep } from '@sallyport/model';
import type { CredentialKind } from '../events/events.ts';
import type { Authenticator, Evidence, Grounds, Verdict } from './authenticator.ts';
import { CONNECTION_LEVELS, type Proof } from './connection-level.ts';
import type { ExchangeMethod } from './exchange-method.ts';
import { inOrder } from './in-order.ts';
import type { Find, KnownPrincipal } from './known-principal.ts';
import { runExchange, unknownMethod } from './run-exchange.ts';
import { secretStanding, suspension } from './standing.ts';
import { whenReady } from './when-ready.ts';

export type Satisfaction =
  | {
      readonly outcome: 'satisfied';
      readonly grounds: Grounds;
      readonly known: KnownPrincipal;
      /** The client id that a certificate gives the client in place of the one in CONNECT. */
      readonly clientId?: ClientId;
      /** An exchange of the kind `presence` was passed. */
      readonly present?: boolean;
    }
  | { readonly outcome: 'unsatisfied'; readonly reason: RefusalReason; readonly cure?: string };

export interface RequirementOptions {
  /** Asked in this order; each proves by one kind of evidence. */
  readonly authenticators: readonly { readonly proof: Proof; readonly authenticator: Authenticator }[];
  /** Authentication methods of MQTT 5 that are offered. */
  readonly methods?: readonly ExchangeMethod[];
  /** Kinds of proof that an organisation takes, in its order; undefined if it has not said. */
  readonly orderOf?: (organisation: string) => readonly CredentialKind[] | undefined;
  readonly findPrincipal: Find;
  readonly organisationExists: (id: string) => boolean | Promise<boolean>;
  readonly now: () => number;
}

/** Who the client is, judged by what its device type (or organisation) demands. Steps are added to `steps` in the order taken. */
export type Requirement = (evidence: Evidence, steps: TraceStep[]) => Satisfaction | Promise<Satisfaction>;

/**
 * The first door. Order: transport, certificate, level, credential. The level of whom the client claims to be is applied before
 * any secret is looked at; that of whom it proved to be afterwards, where the client id claimed nobody or somebody else. A
 * certificate that is shown and does not count is a refusal wherever the level looks at certificates: no token makes it good.
 */
export function requirement(options: RequirementOptions): Requirement {
  const { methods = [] } = options;
  return (evidence, steps) => {
    const { exchange } = evidence;
    if (exchange === undefined) return judge(options, evidence, steps);
    const method = methods.find(({ name }) => name === exchange.method);
    if (method === undefined || (method.kind === 'presence' && exchange.renewal)) {
      return unsatisfied(unknownMethod(exchange.method, methods), steps);
    }
    return whenReady(judge(options, evidence, steps), async (satisfaction) => {
      if (method.kind === 'proof' || satisfaction.outcome === 'unsatisfied') return satisfaction;
      const verdict = await runExchange(method, exchange, evidence, satisfaction.grounds);
      if (verdict.outcome !== 'accepted') return unsatisfied(verdict, steps);
      steps.push(verdict.step);
      return { ...satisfaction, present: true };
    });
  };
}

function judge(
  options: RequirementOptions,
  evidence: Evidence,
  steps: TraceStep[],
): Satisfaction | Promise<Satisfaction> {
  const { findPrincipal } = options;
  return whenReady(claimedPrincipal(evidence, findPrincipal), (claimed) => {
    const early = claimed && checkTransport(claimed.security, evidence, steps);
    if (early) return early;
    return whenReady(judgeCertificate(options, claimed, evidence, steps), (certificate) => {
      const renamed = certificate.outcome === 'accepted' ? certificate.clientId : undefined;
      if (renamed === undefined) {
        return satisfyClaimed(options, { evidence, claimed, certificate, steps });
      }
      const { clientIdProblem: _, ...rest } = evidence;
      const as = { ...rest, clientId: renamed };
      return whenReady(claimedPrincipal(as, findPrincipal), (owner) =>
        whenReady(
          satisfyClaimed(options, { evidence: as, claimed: owner, certificate, steps }),
          (satisfaction): Satisfaction =>
            satisfaction.outcome === 'satisfied' ? { ...satisfaction, clientId: renamed } : satisfaction,
        ),
      );
    });
  });
}

interface Case {
  readonly evidence: Evidence;
  readonly claimed: KnownPrincipal | undefined;
  readonly certificate: Verdict;
  readonly steps: TraceStep[];
}

const NO_CERTIFICATE: Verdict = {
  outcome: 'abstained',
  step: { stage: 'certificate', outcome: 'skipped', text: 'No client certificate was shown.' },
};

/** Verifying costs signatures, so it is left out where nobody would look at the outcome. */
function judgeCertificate(
  { authenticators }: RequirementOptions,
  claimed: KnownPrincipal | undefined,
  evidence: Evidence,
  steps: TraceStep[],
): Verdict | Promise<Verdict> {
  const { certificate, serverName } = evidence.transport;
  const judge = authenticators.find(({ proof }) => proof === 'certificate');
  if (certificate === undefined || !judge) return NO_CERTIFICATE;
  // With a server name the certificate may give the client another client id, and with it another level.
  const looks = claimed === undefined || serverName !== undefined || wants(claimed.security, 'certificate');
  if (!looks) {
    const text = `A client certificate was shown; connection security ${claimed.security} does not look at it.`;
    steps.push({ stage: 'certificate', outcome: 'skipped', text });
    return NO_CERTIFICATE;
  }
  return whenReady(judge.authenticator.authenticate(evidence), (verdict) => {
    if (verdict.outcome !== 'abstained') steps.push(verdict.step);
    return verdict;
  });
}

function wants(security: SecurityLevel, proof: Proof): boolean {
  return CONNECTION_LEVELS[security].proofs.includes(proof);
}

function satisfyClaimed(options: RequirementOptions, given: Case): Satisfaction | Promise<Satisfaction> {
  const { evidence, claimed, certificate, steps } = given;
  let judged: Verdict | Promise<Verdict> | undefined;
  const token = (): Verdict | Promise<Verdict> => {
    judged ??= proveByToken(options, evidence, steps);
    return judged;
  };
  const insisting = insists(options, evidence);
  return whenReady(firstProof(given, token, insisting), (verdict) => {
    if (verdict.outcome !== 'accepted') return explainUnknown(options, evidence, verdict, claimed !== undefined, steps);
    return whenReady(options.findPrincipal(principalName(verdict.grounds.principal)), (known) => {
      // Removed between the proof and now.
      if (!known) return { outcome: 'unsatisfied', reason: 'unknown_identity' } as const;
      if (evidence.clientIdProblem !== undefined) return malformed(evidence.clientIdProblem, steps);
      const ended = checkStanding(known, verdict.grounds, options.now(), steps);
      if (ended) return ended;
      if (known.security === claimed?.security) return satisfied(known, verdict.grounds);
      const late = checkTransport(known.security, evidence, steps);
      if (late) return late;
      return whenReady(satisfyLevel(known.security, certificate, token, steps, insisting), (whole): Satisfaction => {
        if (whole.outcome !== 'accepted') return unsatisfied(whole, steps);
        if (!samePrincipal(whole, verdict)) return unsatisfied(disagreement(verdict, whole), steps);
        return checkStanding(known, whole.grounds, options.now(), steps) ?? satisfied(known, whole.grounds);
      });
    });
  });
}

function satisfied(known: KnownPrincipal, grounds: Grounds): Satisfaction {
  return { outcome: 'satisfied', grounds: { ...grounds, roles: known.roles }, known };
}

/** A proof that had to wait, for a slow hash, may be of a credential that was revoked meanwhile: no live session would be found to end. */
function checkStanding(
  known: KnownPrincipal,
  grounds: Grounds,
  now: number,
  steps: TraceStep[],
): Satisfaction | undefined {
  const fallen = secretStanding(known, grounds, now) ?? suspension(known);
  if (!fallen) return undefined;
  steps.push({ stage: 'authentication', outcome: 'failed', text: fallen.text });
  return { outcome: 'unsatisfied', reason: fallen.reason, ...(fallen.cure === undefined ? {} : { cure: fallen.cure }) };
}

/** What tells who the client is. Where it claims nobody, its certificate does, else the user name; its level follows from that. */
function firstProof(
  { evidence, claimed, certificate, steps }: Case,
  token: () => Verdict | Promise<Verdict>,
  insisting: boolean,
): Verdict | Promise<Verdict> {
  if (claimed) return satisfyLevel(claimed.security, certificate, token, steps, insisting);
  if (certificate.outcome === 'accepted') return certificate;
  if (certificate.outcome === 'rejected' && evidence.username === undefined && !insisting) return certificate;
  return token();
}

/** Whether the client shows by its secret more than who it is: then that is judged too, and the session stands on it. */
function insists({ authenticators, methods = [] }: RequirementOptions, evidence: Evidence): boolean {
  const { exchange } = evidence;
  if (exchange !== undefined) return methods.some(({ name, kind }) => name === exchange.method && kind === 'proof');
  return authenticators.some(({ authenticator }) => authenticator.insists?.(evidence) === true);
}

/** The one place where the five levels are applied to what was shown. */
function satisfyLevel(
  security: SecurityLevel,
  certificate: Verdict,
  token: () => Verdict | Promise<Verdict>,
  steps: TraceStep[],
  insisting: boolean,
): Verdict | Promise<Verdict> {
  const { proofs, require } = CONNECTION_LEVELS[security];
  if (!proofs.includes('certificate')) return token();
  if (certificate.outcome === 'rejected') return certificate;
  if (certificate.outcome === 'accepted') {
    if (require === 'any' && !insisting) return certificate;
    return whenReady(token(), (other) => (other.outcome === 'accepted' ? both(certificate, other) : other));
  }
  // Fail closed: where the certificate is not one of several ways but demanded, nothing else can stand in for it.
  if (require === 'all' || !proofs.includes('token')) {
    const text = `Connection security ${security} demands a client certificate and none was shown.`;
    return {
      outcome: 'rejected',
      reason: 'certificate_required',
      step: { stage: 'certificate', outcome: 'failed', text },
    };
  }
  steps.push(certificate.step);
  return token();
}

type Accepted = Extract<Verdict, { outcome: 'accepted' }>;

function samePrincipal(a: Accepted, b: Accepted): boolean {
  return principalName(a.grounds.principal) === principalName(b.grounds.principal);
}

/** The session stands on both, and ends with the first of them. */
function both(certificate: Accepted, token: Accepted): Verdict {
  if (!samePrincipal(certificate, token)) return disagreement(certificate, token);
  const ends = [certificate, token].flatMap(({ grounds }) => grounds.expiresAt ?? []);
  return {
    ...token,
    grounds: {
      ...token.grounds,
      proofs: ['certificate', 'token'],
      ...(certificate.grounds.certificate ? { certificate: certificate.grounds.certificate } : {}),
      ...(ends.length > 0 ? { expiresAt: Math.min(...ends) } : {}),
    },
  };
}

function disagreement(certificate: Accepted, token: Accepted): Verdict {
  return {
    outcome: 'rejected',
    reason: 'proofs_disagree',
    step: {
      stage: 'authentication',
      outcome: 'failed',
      text: 'The proofs are of different principals.',
      compared: {
        what: 'principal',
        found: principalName(token.grounds.principal),
        expected: principalName(certificate.grounds.principal),
      },
    },
  };
}

function malformed(problem: string, steps: TraceStep[]): Satisfaction {
  steps.push({ stage: 'authentication', outcome: 'failed', text: `The client id: ${problem}.` });
  return { outcome: 'unsatisfied', reason: 'malformed_client_id' };
}

function claimedPrincipal({ clientId }: Evidence, find: Find): ReturnType<Find> {
  switch (clientId.kind) {
    case 'device':
    case 'gateway':
      return find(`${clientId.kind}:${clientId.organisation}/${clientId.type}/${clientId.id}`);
    case 'application':
      return find(`application:${clientId.organisation}/${clientId.id}`);
    case 'plain':
      return undefined;
  }
}

function checkTransport(level: SecurityLevel, evidence: Evidence, steps: TraceStep[]): Satisfaction | undefined {
  const { transport } = evidence;
  const demanded = CONNECTION_LEVELS[level].transport;
  const passed = demanded === 'any' || transport.secure;
  steps.push({
    stage: 'level',
    outcome: passed ? 'passed' : 'failed',
    text: passed
      ? `Connection security ${level} is content with ${transport.transport}.`
      : `Connection security ${level} demands TLS and the client came on ${transport.localPort} without it.`,
    compared: { what: 'transport', found: transport.transport, expected: demanded === 'any' ? 'any' : 'tls or wss' },
  });
  if (passed) return undefined;
  const { clientId } = evidence;
  const who =
    clientId.kind === 'device' || clientId.kind === 'gateway' ? `device type ${clientId.type}` : 'this organisation';
  return {
    outcome: 'unsatisfied',
    reason: 'tls_required',
    cure: `TLS is required for ${who} and the client came on ${transport.localPort} without it: connect with TLS (port 8883), or set the connection security to tls-optional by name.`,
  };
}

/** Asks the authenticators of secrets until one has an answer; a rejection ends it, and so does a broken dependency, by throwing. */
function proveByToken(
  { authenticators, methods = [], orderOf }: RequirementOptions,
  evidence: Evidence,
  steps: TraceStep[],
): Verdict | Promise<Verdict> {
  const { exchange } = evidence;
  const method = methods.find(({ name, kind }) => name === exchange?.method && kind === 'proof');
  if (exchange !== undefined && method !== undefined) {
    return runExchange(method, exchange, evidence).then((verdict) => {
      steps.push(verdict.step);
      return verdict;
    });
  }
  const { clientId } = evidence;
  const order = clientId.kind === 'plain' ? undefined : orderOf?.(clientId.organisation);
  const usable = inOrder(
    authenticators.filter(({ proof }) => proof === 'token'),
    order,
  );
  const ask = (index: number): Verdict | Promise<Verdict> => {
    const next = usable[index];
    if (!next) return nothingShown(evidence);
    return whenReady(next.authenticator.authenticate(evidence), (verdict) => {
      steps.push(verdict.step);
      return verdict.outcome === 'abstained' ? ask(index + 1) : verdict;
    });
  };
  return ask(0);
}

function nothingShown({ clientId, username }: Evidence): Verdict {
  const step: TraceStep = {
    stage: 'authentication',
    outcome: 'failed',
    text:
      username === undefined
        ? 'The client sent neither user name nor password.'
        : 'The client sent a user name without a password.',
  };
  const cure =
    clientId.kind === 'application'
      ? 'Send the application key as user name and its token as password.'
      : clientId.kind === 'plain'
        ? 'Send a user name and a password; there are no anonymous clients.'
        : 'Send the user name "use-token-auth" and the token as password.';
  return { outcome: 'rejected', reason: 'missing_credential', step, cure };
}

function unsatisfied(verdict: Verdict, steps: TraceStep[]): Extract<Satisfaction, { outcome: 'unsatisfied' }> {
  if (!steps.includes(verdict.step)) steps.push(verdict.step);
  return verdict.outcome === 'rejected'
    ? { outcome: 'unsatisfied', reason: verdict.reason, ...(verdict.cure === undefined ? {} : { cure: verdict.cure }) }
    : { outcome: 'unsatisfied', reason: 'missing_credential' };
}

/** A wrong organisation looks like an unknown device; the operator is told which it was. */
function explainUnknown(
  { organisationExists }: RequirementOptions,
  { clientId, clientIdProblem }: Evidence,
  verdict: Verdict,
  claimedExists: boolean,
  steps: TraceStep[],
): Satisfaction | Promise<Satisfaction> {
  const answer = unsatisfied(verdict, steps);
  if (clientIdProblem !== undefined) return malformed(clientIdProblem, steps);
  if (claimedExists || clientId.kind === 'plain') return answer;
  const { organisation } = clientId;
  return whenReady(organisationExists(organisation), (exists) => {
    if (exists) return answer;
    steps.push({ stage: 'authentication', outcome: 'failed', text: `There is no organisation "${organisation}".` });
    return { outcome: 'unsatisfied', reason: 'unknown_organisation' };
  });
}
