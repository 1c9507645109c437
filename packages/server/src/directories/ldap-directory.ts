import { Failure } from '@sallyport/model';
import {
  Client,
  InappropriateAuthError,
  InvalidCredentialsError,
  InvalidDNSyntaxError,
  NoSuchObjectError,
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
          const { reader } = settings;
          if (reader) await client.bind(reader.dn, reader.password);
          const { searchEntries } = await client.search(base, {
            scope: 'sub',
            filter,
            // 1.1: no attributes (RFC 4511 section 4.5.1.8).
            attributes: attributes.length === 0 ? ['1.1'] : [...attributes],
            sizeLimit: most + 1,
            timeLimit: Math.ceil(settings.timeout / 1000),
          });
          if (searchEntries.length > most) {
            throw new Failure(
              'directory_unavailable',
              `The search ${filter} below ${base} finds more than ${most} entries.`,
              {
                cure: 'Make base or filter narrower.',
              },
            );
          }
          return searchEntries.map(({ dn, ...rest }) => ({ dn, attributes: textsOf(rest) }));
        }),
      ),
  };
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
