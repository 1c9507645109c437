import { principalName, type RefusalReason, type SecurityLevel, type TraceStep } from '@sallyport/model';
import type { Authenticator, Evidence, Grounds, Verdict } from './authenticator.ts';
import { CONNECTION_LEVELS, type ConnectionLevel, type Proof } from './connection-level.ts';
import type { Find, KnownPrincipal } from './known-principal.ts';
import { standing } from './standing.ts';
import { whenReady } from './when-ready.ts';

export type Satisfaction =
  | { readonly outcome: 'satisfied'; readonly grounds: Grounds; readonly known: KnownPrincipal }
  | { readonly outcome: 'unsatisfied'; readonly reason: RefusalReason; readonly cure?: string };

export interface RequirementOptions {
  /** Asked in this order; each proves by one kind of evidence. */
  readonly authenticators: readonly { readonly proof: Proof; readonly authenticator: Authenticator }[];
  readonly findPrincipal: Find;
  readonly organisationExists: (id: string) => boolean | Promise<boolean>;
  readonly now: () => number;
}

/** Who the client is, judged by what its device type (or organisation) demands. Steps are added to `steps` in the order taken. */
export type Requirement = (evidence: Evidence, steps: TraceStep[]) => Satisfaction | Promise<Satisfaction>;

/**
 * The first door. Order: transport, then level, then credential. The level of whom the client claims to be is applied before
 * any secret is looked at; that of whom it proved to be afterwards, where the client id claimed nobody or somebody else.
 */
export function requirement(options: RequirementOptions): Requirement {
  return (evidence, steps) =>
    whenReady(claimedPrincipal(evidence, options.findPrincipal), (claimed) => {
      const early = claimed && checkTransport(claimed.security, evidence, steps);
      if (early) return early;
      const level = claimed ? CONNECTION_LEVELS[claimed.security] : ANY_PROOF;
      return whenReady(prove(options, level, evidence, steps), (verdict) => {
        if (verdict.outcome !== 'accepted')
          return explainUnknown(options, evidence, verdict, claimed !== undefined, steps);
        const { grounds } = verdict;
        return whenReady(options.findPrincipal(principalName(grounds.principal)), (known) => {
          // Removed between the proof and now.
          if (!known) return { outcome: 'unsatisfied', reason: 'unknown_identity' } as const;
          const ended = checkStanding(known, grounds, options.now(), steps);
          if (ended) return ended;
          const satisfied = { outcome: 'satisfied', grounds: { ...grounds, roles: known.roles }, known } as const;
          if (known.security === claimed?.security) return satisfied;
          return checkLate(known, evidence, steps) ?? satisfied;
        });
      });
    });
}

/** For a client that claims to be nobody in particular: its own level is applied once it is known who it is. */
const ANY_PROOF: ConnectionLevel = { transport: 'any', require: 'any', proofs: ['certificate', 'token'] };

/** A proof that had to wait, for a slow hash, may be of a credential that was revoked meanwhile: no live session would be found to end. */
function checkStanding(
  known: KnownPrincipal,
  grounds: Grounds,
  now: number,
  steps: TraceStep[],
): Satisfaction | undefined {
  const credential = known.credentials.find(({ id }) => id === grounds.credential);
  const fallen = credential
    ? standing(known, credential, now)
    : ({ reason: 'credential_revoked', text: `Credential ${grounds.credential} was removed.` } as const);
  if (!fallen) return undefined;
  steps.push({ stage: 'authentication', outcome: 'failed', text: fallen.text });
  const cure = 'cure' in fallen ? fallen.cure : undefined;
  return { outcome: 'unsatisfied', reason: fallen.reason, ...(cure === undefined ? {} : { cure }) };
}

function checkLate(known: KnownPrincipal, evidence: Evidence, steps: TraceStep[]): Satisfaction | undefined {
  const transport = checkTransport(known.security, evidence, steps);
  if (transport) return transport;
  const { proofs, require } = CONNECTION_LEVELS[known.security];
  if (proofs.includes('token') && require === 'any') return undefined;
  steps.push({
    stage: 'certificate',
    outcome: 'failed',
    text: `Connection security ${known.security} demands a client certificate.`,
  });
  return { outcome: 'unsatisfied', reason: 'certificate_required' };
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

/** Asks the authenticators until one has an answer; a rejection ends it, and so does a broken dependency, by throwing. */
function prove(
  { authenticators }: RequirementOptions,
  level: ConnectionLevel,
  evidence: Evidence,
  steps: TraceStep[],
): Verdict | Promise<Verdict> {
  const usable = authenticators.filter(({ proof }) => level.proofs.includes(proof));
  if (level.proofs.includes('certificate') && !usable.some(({ proof }) => proof === 'certificate')) {
    const step: TraceStep = {
      stage: 'certificate',
      outcome: 'failed',
      text: 'No trusted client certificate was shown.',
    };
    // Fail closed: where the certificate is not one of several ways but demanded, nothing else can stand in for it.
    if (level.require === 'all' || level.proofs.length === 1) {
      return { outcome: 'rejected', reason: 'certificate_required', step };
    }
    steps.push({ ...step, outcome: 'skipped' });
  }
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

/** A wrong organisation looks like an unknown device; the operator is told which it was. */
function explainUnknown(
  { organisationExists }: RequirementOptions,
  { clientId }: Evidence,
  verdict: Verdict,
  claimedExists: boolean,
  steps: TraceStep[],
): Satisfaction | Promise<Satisfaction> {
  if (steps.at(-1) !== verdict.step) steps.push(verdict.step);
  const unsatisfied: Satisfaction =
    verdict.outcome === 'rejected'
      ? {
          outcome: 'unsatisfied',
          reason: verdict.reason,
          ...(verdict.cure === undefined ? {} : { cure: verdict.cure }),
        }
      : { outcome: 'unsatisfied', reason: 'missing_credential' };
  if (claimedExists || clientId.kind === 'plain') return unsatisfied;
  const { organisation } = clientId;
  return whenReady(organisationExists(organisation), (exists) => {
    if (exists) return unsatisfied;
    steps.push({ stage: 'authentication', outcome: 'failed', text: `There is no organisation "${organisation}".` });
    return { outcome: 'unsatisfied', reason: 'unknown_organisation' };
  });
}
