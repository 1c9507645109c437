// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Failure, principalName } from '@sallyport/model';
import type { Grants } from '@sallyport/policy';
import type { Authenticator, Grounds } from '../authentication/authenticator.ts';
import { type DecisionHook, decisionHookAuthenticator, type HookQuestion } from '../authentication/decision-hook.ts';
import { type DirectoryUsers, directoryBindAuthenticator } from '../authentication/directory-bind.ts';
import type { Find } from '../authentication/known-principal.ts';
import { grantsText, type OrganisationRules, withOrganisationRules } from '../authentication/organisation-rules.ts';
import type { GroundsStanding, regrounds } from '../authentication/regrounds.ts';
import type { Requirement } from '../authentication/requirement.ts';
import type { Configuration } from '../config/schema.ts';
import { circuitBreaker } from '../directories/circuit-breaker.ts';
import { hookClient } from '../directories/hook-client.ts';
import { type LdapDirectory, ldapDirectory } from '../directories/ldap-directory.ts';
import { ldapGrants } from '../directories/ldap-grants.ts';
import { ldapUsers } from '../directories/ldap-users.ts';
import { Remembered } from '../directories/remembered.ts';
import { sqlGrants } from '../directories/sql-grants.ts';
import type { CredentialKind } from '../events/events.ts';
import { readPrivateFile } from '../storage/private-file.ts';

type Block = Configuration['organisations'][number];
type Users = NonNullable<Block['directory']>['users'];
type Regrounds = ReturnType<typeof regrounds>;

/** What the blocks of organisations in the configuration amount to. */
export interface Directories {
  /** The authenticators for which an organisation asks others; they abstain for every other organisation. */
  readonly authenticators: readonly Authenticator[];
  /** Kinds of proof of an organisation in its order; undefined if it has not said. */
  orderOf(organisation: string): readonly CredentialKind[] | undefined;
  guard(satisfy: Requirement): Requirement;
  /** Also ends sessions whose grants have changed, or cannot be known any more. */
  regrounds(inner: Regrounds): Regrounds;
  /** Has live sessions held against their grants as often as these are asked anew. */
  watch(reconsider: (organisation: string) => Promise<void>): void;
  /**
   * Asks each directory once. Throws `configuration_invalid` if one answers and does not take its reader, or has no such base; one that
   * does not answer is only noted.
   */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface DirectoriesParts {
  readonly configuration: Configuration;
  readonly findPrincipal: Find;
  readonly now: () => number;
  readonly onDefect: (where: string, problem: unknown) => void;
}

const FAILURES_IN_A_ROW = 5;
const PAUSE = 10_000;
const MOST_REMEMBERED = 20_000;
const SHORTEST_SECRET = 32;

/** Opens what the configuration names; files are read now, servers are asked when somebody logs in. */
export function openDirectories({ configuration, findPrincipal, now, onDefect }: DirectoriesParts): Directories {
  const users = new Map<string, DirectoryUsers>();
  const hooks = new Map<string, DecisionHook>();
  const rules = new Map<string, OrganisationRules>();
  const lifetimes = new Map<string, number>();
  const ends: (() => unknown)[] = [];
  const checks: { readonly id: string; readonly ldap: LdapDirectory; readonly bases: readonly string[] }[] = [];
  const breaker = (what: string) => circuitBreaker({ what, failures: FAILURES_IN_A_ROW, pause: PAUSE, now });

  for (const block of configuration.organisations) {
    const { id, directory, hook, authenticators } = block;
    const ldap = directory && openLdap(directory, breaker(`The directory ${directory.url}`));
    if (ldap) checks.push({ id, ldap, bases: basesOf(directory) });
    if (ldap && directory.users) users.set(id, usersOf(ldap, directory.users));
    if (hook) hooks.set(id, openHook(hook, breaker(`The web hook ${new URL(hook.url).origin}`), now));
    const source = grantSource(block, ldap, breaker, ends);
    let remembered: Remembered<Grants> | undefined;
    if (source) {
      const { lifetime, outageLifetime: outage, ask } = source;
      remembered = new Remembered({ ask, lifetime, outage, most: MOST_REMEMBERED, now });
      lifetimes.set(id, lifetime);
    }
    rules.set(id, {
      ...(authenticators ? { kinds: authenticators } : {}),
      ...(remembered ? { grantsOf: (name) => remembered.get(name) } : {}),
    });
  }

  return {
    authenticators: [
      decisionHookAuthenticator({ hookOf: (id) => hooks.get(id), findPrincipal, now }),
      directoryBindAuthenticator({ usersOf: (id) => users.get(id), findPrincipal, now }),
    ],
    orderOf: (organisation) => rules.get(organisation)?.kinds,
    guard: (satisfy) => (rules.size === 0 ? satisfy : withOrganisationRules(satisfy, (id) => rules.get(id))),
    regrounds(inner) {
      if (lifetimes.size === 0) return inner;
      return async (grounds, transport) => {
        const standing = await inner(grounds, transport);
        return standing === 'stands' ? grantsStanding(grounds, rules) : standing;
      };
    },
    watch(reconsider) {
      for (const [organisation, lifetime] of lifetimes) {
        const timer = setInterval(() => {
          reconsider(organisation).catch((problem: unknown) => onDefect(`grants of ${organisation}`, problem));
        }, lifetime);
        timer.unref();
        ends.push(() => clearInterval(timer));
      }
    },
    async check() {
      for (const { id, ldap, bases } of checks) {
        for (const base of bases) {
          try {
            await ldap.check(base);
          } catch (error) {
            if (!(error instanceof Failure)) throw error;
            if (error.code === 'configuration_invalid') throw error;
            // One that is away may come back; until then its outage policy holds.
            onDefect(`directory of ${id}`, error.message);
          }
        }
      }
    },
    async close() {
      for (const end of ends) await end();
    },
  };
}

/** A session has the grants of its login until the source says otherwise; then it ends, and comes back with the new ones. */
async function grantsStanding(
  { principal, directoryGrants }: Grounds,
  rules: ReadonlyMap<string, OrganisationRules>,
): Promise<GroundsStanding> {
  const grantsOf = principal.kind === 'operator' ? undefined : rules.get(principal.organisation)?.grantsOf;
  if (!grantsOf) return 'stands';
  const name = principalName(principal);
  try {
    if (grantsText(await grantsOf(name)) === directoryGrants) return 'stands';
    return { ended: 'rights_changed', text: `What the directory grants to ${name} has changed.` };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ended: 'directory_unavailable', text: error.message, cure: error.cure };
  }
}

function basesOf({ users, groups }: NonNullable<Block['directory']>): readonly string[] {
  return [...new Set([users?.search?.base, groups?.base].filter((base) => base !== undefined))];
}

function openLdap(
  { url, startTls, caFile, reader, readerPasswordFile, timeout }: NonNullable<Block['directory']>,
  breaker: ReturnType<typeof circuitBreaker>,
): LdapDirectory {
  const settings = {
    url,
    startTls,
    timeout,
    ...(caFile === 'none' ? {} : { ca: textFile(caFile) }),
    ...(reader === 'none' ? {} : { reader: { dn: reader, password: secretFile(readerPasswordFile) } }),
  };
  return ldapDirectory(settings, breaker);
}

function usersOf(
  ldap: LdapDirectory,
  { dn, search, principal, lifetime }: NonNullable<NonNullable<Block['directory']>['users']>,
): DirectoryUsers {
  return {
    lifetime,
    proves: ldapUsers(ldap, search ? searchOf(search) : { dn }),
    principalOf: (username) =>
      /^[A-Za-z0-9_.-]{1,36}$/.test(username) ? principal.replaceAll('${username}', () => username) : undefined,
  };
}

function searchOf({ base, filter, nameAttribute }: NonNullable<NonNullable<Users>['search']>) {
  return { base, filter, ...(nameAttribute === 'none' ? {} : { nameAttribute }) };
}

function grantSource(
  { directory, database }: Block,
  ldap: LdapDirectory | undefined,
  breaker: (what: string) => ReturnType<typeof circuitBreaker>,
  ends: (() => unknown)[],
) {
  if (ldap && directory?.groups) return { ...directory.groups, ask: ldapGrants(ldap, directory.groups) };
  if (!database) return undefined;
  const { passwordFile, caFile, ...settings } = database;
  const what = `The database ${database.host}:${database.port}`;
  const sql = sqlGrants(
    { ...settings, password: secretFile(passwordFile), ...(caFile === 'none' ? {} : { ca: textFile(caFile) }) },
    breaker(what),
  );
  ends.push(() => sql.close());
  return { ...database, ask: (name: string) => sql.grantsOf(name) };
}

function openHook(
  {
    url,
    caFile,
    secretFile: path,
    timeout,
    cacheLifetime,
    sessionLifetime,
    unsafeTellPassword,
  }: NonNullable<Block['hook']>,
  breaker: ReturnType<typeof circuitBreaker>,
  now: () => number,
): DecisionHook {
  const secret = secretFile(path);
  if (secret.length < SHORTEST_SECRET) {
    throw new Failure(
      'key_material_invalid',
      `The secret in ${path} has ${secret.length} characters; it needs ${SHORTEST_SECRET}.`,
      {
        cure: `Make a new one: openssl rand -hex 32 > ${path}`,
      },
    );
  }
  const ask = hookClient(
    { url, secret, timeout, ...(caFile === 'none' ? {} : { ca: textFile(caFile) }) },
    { breaker, now },
  );
  // Questions are kept by hash: a password that is told must not lie in memory longer than the question.
  const waiting = new Map<string, HookQuestion>();
  const remembered = new Remembered({
    ask: (key) => ask(waiting.get(key) ?? {}),
    lifetime: cacheLifetime,
    outage: 0,
    most: MOST_REMEMBERED,
    now,
  });
  return {
    tellPassword: unsafeTellPassword,
    lifetime: sessionLifetime,
    async ask(question) {
      const key = createHash('sha256').update(JSON.stringify(question)).digest('base64');
      waiting.set(key, question);
      try {
        return await remembered.get(key);
      } finally {
        waiting.delete(key);
      }
    },
  };
}

/** One line of secret; a line break at its end is none of it. */
function secretFile(path: string): string {
  const bytes = readPrivateFile(path);
  const text = bytes?.toString('utf8').replace(/\r?\n$/, '') ?? '';
  if (text !== '') return text;
  throw new Failure(
    'key_material_invalid',
    `The file ${path} ${bytes ? 'is empty' : 'does not exist'}; it is to hold a secret.`,
    {
      cure: 'Write the secret into it, readable for the user who runs the server only (chmod 600).',
    },
  );
}

function textFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure('key_material_invalid', `The file ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
      cure: 'Check the path in the configuration and the permissions of the file.',
    });
  }
}
