import type { CredentialKind } from '../events/events.ts';

/** What kind of proof an authenticator takes, by its name; one that is not here is asked in no order but the built-in one. */
const KINDS: Readonly<Record<string, CredentialKind>> = {
  certificate: 'certificate',
  'device-token': 'token',
  'application-key': 'token',
  password: 'password',
  'access-token': 'access-token',
  directory: 'directory',
  hook: 'hook',
};

/** Those that an organisation takes, in its order; all of them as they are, if it has not said. */
export function inOrder<T extends { readonly authenticator: { readonly name: string } }>(
  entries: readonly T[],
  order: readonly CredentialKind[] | undefined,
): readonly T[] {
  if (!order) return entries;
  return order.flatMap((kind) => entries.filter(({ authenticator }) => KINDS[authenticator.name] === kind));
}
