import { Failure, parsePrincipal, principalName } from '@sallyport/model';
import { type Grants, parseGrant } from '@sallyport/policy';
import type { Authenticator, Evidence, Verdict } from './authenticator.ts';
import type { Find } from './known-principal.ts';
import { suspension } from './standing.ts';
import { abstained, accepted, rejected } from './verdicts.ts';

export interface DecisionHook {
  /** Asks, or remembers what was answered. Rejects with `directory_unavailable`. */
  readonly ask: (question: HookQuestion) => Promise<Readonly<Record<string, unknown>>>;
  /** Whether the hook is told the password; else only that there is one. */
  readonly tellPassword: boolean;
  /** How long a login counts; milliseconds. */
  readonly lifetime: number;
}

/** What the hook is told. */
export interface HookQuestion {
  readonly organisation: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly hasPassword: boolean;
  readonly address: string;
  readonly transport: string;
  readonly secure: boolean;
}

export interface DecisionHookOptions {
  /** The hook of an organisation, if it has one. */
  readonly hookOf: (organisation: string) => DecisionHook | undefined;
  readonly findPrincipal: Find;
  readonly now: () => number;
}

const MOST_GRANTS = 256;

/**
 * Asks the web hook of the organisation that the client id names. `permit` names a registered principal of that organisation and may
 * bound it by grants; `deny` ends the login; `abstain` leaves it to the next. Anything else is no answer, and lets nobody in.
 */
export function decisionHookAuthenticator({ hookOf, findPrincipal, now }: DecisionHookOptions): Authenticator {
  return {
    name: 'hook',
    async authenticate(evidence: Evidence): Promise<Verdict> {
      const { clientId } = evidence;
      if (clientId.kind === 'plain') return abstained('The client id names no organisation that has a web hook.');
      const { organisation } = clientId;
      const hook = hookOf(organisation);
      if (!hook) return abstained('The organisation has no web hook.');
      let answer: Readonly<Record<string, unknown>>;
      try {
        answer = await hook.ask(questionOf(evidence, organisation, hook.tellPassword));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return rejected('directory_unavailable', error.message, { cure: error.cure });
      }
      if (answer.decision === 'abstain') return abstained('The web hook leaves it to others.');
      if (answer.decision === 'deny') {
        const why = typeof answer.reason === 'string' ? answer.reason.slice(0, 256) : 'it gave no reason';
        return rejected('hook_denied', `The web hook does not let the client in: ${why}.`);
      }
      if (answer.decision !== 'permit') return useless('the decision is none of permit, deny and abstain');

      const read = typeof answer.principal === 'string' ? parsePrincipal(answer.principal) : undefined;
      if (!read?.ok || read.value.kind === 'operator') return useless('it permits nobody who can connect');
      const principal = read.value;
      if (principal.organisation !== organisation) return useless('it permits somebody of another organisation');
      const known = await findPrincipal(principalName(principal));
      if (!known) {
        return rejected(
          'unknown_identity',
          `The web hook permits ${principalName(principal)}, which is not registered.`,
        );
      }
      const fallen = suspension(known);
      if (fallen) return rejected(fallen.reason, fallen.text, { cure: fallen.cure });
      const device = principal.kind === 'application' ? undefined : principal;
      const grants = grantsOf(answer.grants, (text) => parseGrant(text, device));
      if (grants === 'unreadable') return useless('its grants cannot be read');
      return accepted(
        {
          principal,
          credential: 'hook',
          credentialKind: 'hook',
          roles: known.roles,
          expiresAt: now() + hook.lifetime,
          ...(grants === undefined ? {} : { grants }),
        },
        { stage: 'authentication', outcome: 'passed', text: `The web hook permits ${principalName(principal)}.` },
      );
    },
  };
}

function questionOf({ clientId, username, password, transport }: Evidence, organisation: string, tell: boolean) {
  return {
    organisation,
    clientId: clientId.text,
    ...(username === undefined ? {} : { username }),
    ...(tell && password !== undefined ? { password: Buffer.from(password).toString('utf8') } : {}),
    hasPassword: password !== undefined && password.length > 0,
    address: transport.remoteAddress,
    transport: transport.transport,
    secure: transport.secure,
  };
}

function grantsOf(value: unknown, parse: (text: string) => ReturnType<typeof parseGrant>) {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > MOST_GRANTS) return 'unreadable' as const;
  const grants: Grants[number][] = [];
  for (const text of value as readonly unknown[]) {
    const read = typeof text === 'string' ? parse(text) : undefined;
    if (!read?.ok) return 'unreadable' as const;
    grants.push(read.value);
  }
  return grants;
}

function useless(why: string): Verdict {
  return rejected('directory_unavailable', `The answer of the web hook cannot be used: ${why}.`, {
    cure: 'Correct the web hook; docs/guide/directories.md says what it has to answer.',
  });
}
