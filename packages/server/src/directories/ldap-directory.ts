import { Failure } from '@sallyport/model';
import {
  Client,
  InappropriateAuthError,
  InvalidCredentialsError,
  InvalidDNSyntaxError,
  NoSuchObjectError,
  SizeLimitExceededError,
} from 'ldapts';
import type { CircuitBreaker } from './circuit-breaker.ts';

export interface LdapSettings {
  /** `ldaps://HOST:PORT`, or `ldap://HOST:PORT` with StartTLS. */
  readonly url: string;
  readonly startTls: boolean;
  /** PEM of the authorities that the directory's certificate may lead to; those of the system if it is absent. */
  readonly ca?: string;
  /** Milliseconds for each step. */
  readonly timeout: number;
  /** Who searches; nobody (anonymous) if it is absent. */
  readonly reader?: { readonly dn: string; readonly password: string };
}

export interface LdapEntry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

export interface LdapSearch {
  readonly base: string;
  readonly filter: string;
  readonly attributes: readonly string[];
  /** More are a failure, not cut off. */
  readonly most: number;
}

/** A directory that answers, as functions. Rejects with `directory_unavailable` where it does not. */
export interface LdapDirectory {
  /** Whether the password is that of the entry. An empty password is never asked about. */
  proves(dn: string, password: string): Promise<boolean>;
  search(search: LdapSearch): Promise<readonly LdapEntry[]>;
  /** The one entry that the filter finds; `several` if it finds more, which is no failure of the directory. */
  findOne(search: Omit<LdapSearch, 'most'>): Promise<LdapEntry | 'none' | 'several'>;
  /**
   * Asks for an entry as the reader. Throws `configuration_invalid` if the directory answers and does not take the reader, or has no such
   * entry; `directory_unavailable` if it does not answer.
   */
  check(base: string): Promise<void>;
}

/** Asks a directory server, always over TLS, with a connection for each question: none is left bound as somebody. */
export function ldapDirectory(settings: LdapSettings, breaker: CircuitBreaker): LdapDirectory {
  return {
    async proves(dn, password) {
      // RFC 4513 section 5.1.2: a bind with a name and no password succeeds as nobody, and proves nothing.
      if (password === '' || dn === '') return false;
      return breaker(() =>
        connected(settings, async (client) => {
          try {
            await client.bind(dn, password);
            return true;
          } catch (error) {
            if (isWrong(error)) return false;
            throw error;
          }
        }),
      );
    },
    search: ({ base, filter, attributes, most }) =>
      breaker(() =>
        connected(settings, async (client) => {
          const found = await searched(client, settings, { base, filter, attributes, most });
          if (found.length > most) {
            throw new Failure(
              'directory_unavailable',
              `The search ${filter} below ${base} finds more than ${most} entries.`,
              {
                cure: 'Make base or filter narrower.',
              },
            );
          }
          return found;
        }),
      ),
    findOne: (search) =>
      breaker(() =>
        connected(settings, async (client) => {
          try {
            const [first, second] = await searched(client, settings, { ...search, most: 1 });
            if (second !== undefined) return 'several';
            return first ?? 'none';
          } catch (error) {
            if (error instanceof SizeLimitExceededError) return 'several';
            throw error;
          }
        }),
      ),
    async check(base) {
      const missing = await breaker(() =>
        connected(settings, async (client) => {
          try {
            await searched(client, settings, { base, filter: '(objectClass=*)', attributes: [], most: 1 }, 'base');
            return undefined;
          } catch (error) {
            if (error instanceof NoSuchObjectError) return `has no entry ${base}, or does not show it to the reader`;
            if (isWrong(error))
              return `does not take the reader ${settings.reader?.dn ?? '(nobody)'} with its password`;
            throw error;
          }
        }),
      );
      if (missing === undefined) return;
      throw new Failure('configuration_invalid', `The directory ${settings.url} ${missing}.`, {
        cure: 'Compare reader, readerPasswordFile and base of the organisation with ldapsearch -x -H URL -D READER -W -b BASE.',
      });
    },
  };
}

async function searched(
  client: Client,
  { reader, timeout }: LdapSettings,
  { base, filter, attributes, most }: LdapSearch,
  scope: 'sub' | 'base' = 'sub',
): Promise<readonly LdapEntry[]> {
  if (reader) await client.bind(reader.dn, reader.password);
  // Referrals come beside the entries and are not followed: whom one asks says the configuration alone.
  const { searchEntries } = await client.search(base, {
    scope,
    filter,
    derefAliases: 'never',
    // 1.1: no attributes (RFC 4511 section 4.5.1.8).
    attributes: attributes.length === 0 ? ['1.1'] : [...attributes],
    sizeLimit: most + 1,
    timeLimit: Math.ceil(timeout / 1000),
  });
  return searchEntries.map(({ dn, ...rest }) => ({ dn, attributes: textsOf(rest) }));
}

async function connected<T>(settings: LdapSettings, work: (client: Client) => Promise<T>): Promise<T> {
  const { url, startTls, ca, timeout } = settings;
  const tlsOptions = { minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) };
  const { hostname } = new URL(url);
  const client = new Client({ url, timeout, connectTimeout: timeout, ...(startTls ? {} : { tlsOptions }) });
  try {
    if (startTls) await client.startTLS({ ...tlsOptions, host: hostname });
    return await work(client);
  } finally {
    await client.unbind().catch(() => {});
  }
}

/** Results that say "this name and password do not go together" (RFC 4511 appendix A.2). */
function isWrong(error: unknown): boolean {
  return [InvalidCredentialsError, NoSuchObjectError, InvalidDNSyntaxError, InappropriateAuthError].some(
    (kind) => error instanceof kind,
  );
}

function textsOf(attributes: Readonly<Record<string, unknown>>): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    found[name] = values.filter((one): one is string => typeof one === 'string');
  }
  return found;
}
