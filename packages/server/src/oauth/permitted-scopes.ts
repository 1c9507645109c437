import { randomBytes } from 'node:crypto';
import { clientIdOf, type Principal } from '@sallyport/model';
import { decide, type Grant, type Policy, parseScope, type Subject } from '@sallyport/policy';
import type { KnownPrincipal } from '../authentication/known-principal.ts';

/** A scope that cannot be given, and why. */
export interface RefusedScope {
  readonly scope: string;
  readonly why: string;
}

/**
 * The first of the scopes that cannot be given to a principal: it is not one of ours, cannot be read, or is more than the policy
 * permits. What is given is bounded by the policy again when it is used; this tells the client early, and keeps tokens small.
 */
export function refusedScope(
  scopes: readonly string[],
  { principal, roles }: Pick<KnownPrincipal, 'principal' | 'roles'>,
  policy: Policy,
  now: number,
): RefusedScope | undefined {
  if (principal.kind === 'operator') return { scope: scopes[0] ?? '', why: 'operators have no topics' };
  const device = principal.kind === 'application' ? undefined : principal;
  const subject = subjectOf(principal, roles);
  for (const scope of scopes) {
    const read = parseScope(scope, device);
    if (!read.ok) return { scope, why: read.problem };
    if (read.value === undefined) return { scope, why: 'it does not begin with mqtt:' };
    const beyond = read.value.find((grant) => !permitted(grant, subject, policy, now));
    if (beyond) return { scope, why: `the policy does not permit to ${beyond.action} ${beyond.filter}` };
  }
  return undefined;
}

function permitted({ action, filter }: Grant, subject: Subject, policy: Policy, now: number): boolean {
  const asked = action === 'subscribe' ? [filter] : topicsLike(filter);
  return asked.every((resource) => decide(policy, subject, action, resource, now).effect === 'permit');
}

/** A publish is asked topic by topic: names that nobody has thought of stand for whatever a wildcard means. */
function topicsLike(filter: string): readonly string[] {
  const level = randomBytes(12).toString('hex');
  const named = filter.split('/').map((part) => (part === '+' ? level : part));
  if (named.at(-1) !== '#') return [named.join('/')];
  const above = named.slice(0, -1);
  const below = [
    [...above, level],
    [...above, level, level],
  ];
  return (above.length > 0 ? [above, ...below] : below).map((levels) => levels.join('/'));
}

/** As whom the token will be used: over TLS, with an access token. */
function subjectOf(principal: Exclude<Principal, { kind: 'operator' }>, roles: readonly string[]): Subject {
  return {
    principal,
    clientId: clientIdOf(principal),
    roles,
    transport: 'tls',
    secure: true,
    assurance: 'full',
    credentialKind: 'access-token',
  };
}
