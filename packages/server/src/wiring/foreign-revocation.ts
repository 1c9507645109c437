import { join } from 'node:path';
import type { RevocationSourceDocument } from '@sallyport/model';
import type { ForeignNews } from '../authentication/foreign-revocation.ts';
import { fetchPublic } from '../authority/fetch-public.ts';
import { foreignListFiles } from '../authority/foreign-list-files.ts';
import { ForeignLists } from '../authority/foreign-lists.ts';
import { ForeignStatuses } from '../authority/foreign-statuses.ts';
import type { Configuration } from '../config/schema.ts';
import type { ServerEvent } from '../events/events.ts';
import type { RegistryChange, TrustedAuthority } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';

export interface ForeignRevocationOptions {
  readonly registry: Pick<Registry, 'authorities'>;
  readonly configuration: Configuration;
  readonly now: () => number;
  readonly emit: (event: ServerEvent) => void;
}

/** News of revocation of imported authorities, and how it is kept fresh. */
export interface ForeignRevocation {
  readonly news: ForeignNews;
  /** How the lists of an authority stand, for people. */
  listsOf(authority: string): readonly RevocationSourceDocument[];
  /** Fetches lists and asks responders of an authority now. */
  renew(authority: string): Promise<void>;
  /** Told of every change of the registry. */
  follow(change: Pick<RegistryChange, 'kind' | 'change'>): void;
  /** Calls back with an organisation in which a certificate may be worth nothing any more. */
  onRevoked(tell: (organisation: string) => void): void;
  close(): void;
}

const LISTS_FOLDER = 'revocation';
const TENDED_EVERY = 10_000;
const GATHERED = 200;

/** Opens what was learnt before, and begins to tend it. */
export async function foreignRevocation(options: ForeignRevocationOptions): Promise<ForeignRevocation> {
  const { registry, configuration, now, emit } = options;
  const { authorities } = registry;
  const allowed = new Set(configuration.revocation.allowedHosts.map((name) => name.toLowerCase()));
  /** What operators have named is allowed as they have named it, wherever it leads. */
  let named: ReadonlySet<string> = new Set();
  let tell = (_organisation: string): void => {};

  const fetch = (request: Omit<Parameters<typeof fetchPublic>[0], 'allowedHosts'>) =>
    fetchPublic({
      ...request,
      allowedHosts: named.has(request.url) ? new Set([...allowed, hostOf(request.url)]) : allowed,
    });
  const failed = (where: string) => (problem: unknown) => emit({ type: 'defect', where, problem: String(problem) });
  const pending = new Set<string>();
  const onRevoked = (authority: string): void => {
    // Every session of an organisation is judged anew: once for all the news that comes together.
    if (pending.has(authority)) return;
    pending.add(authority);
    setTimeout(() => {
      pending.delete(authority);
      tellOf(authority);
    }, GATHERED).unref();
  };
  const tellOf = (authority: string): void => {
    authorities
      .lookedAt()
      .then((all) => {
        for (const { organisation, fingerprint } of all) if (fingerprint === authority) tell(organisation);
      })
      .catch(failed('sessions after news of revocation'));
  };
  const files = foreignListFiles(join(configuration.dataDirectory, LISTS_FOLDER));
  const longestRest = configuration.revocation.refreshInterval;
  const lists = new ForeignLists({ fetch, files, longestRest, now, emit, onRevoked });
  const statuses = new ForeignStatuses({ fetch, longestRest, now, emit, onRevoked });

  async function takeUp(): Promise<void> {
    const all = await authorities.lookedAt();
    named = new Set(
      all
        .flatMap(({ revocation: { listUrl, responderUrl } }) => [listUrl, responderUrl])
        .filter((url) => url !== undefined),
    );
    const wanted = new Set(all.map(({ fingerprint }) => fingerprint));
    await lists.retain(wanted);
    statuses.retain(wanted);
    await Promise.all(all.map(prefetch));
  }

  async function prefetch({
    fingerprint,
    der,
    subjectNameHash,
    revocation: { listUrl },
  }: TrustedAuthority): Promise<void> {
    if (listUrl === undefined) return;
    await lists.prefetch({ authority: fingerprint, issuer: der, issuerNameHash: subjectNameHash, url: listUrl });
  }

  await lists.open();
  takeUp().catch(failed('revocation lists'));
  const timer = setInterval(() => {
    Promise.all([lists.tend(), statuses.tend()]).catch(failed('revocation lists'));
  }, TENDED_EVERY);
  timer.unref();

  return {
    news: {
      policyOf: (organisation, authority) => authorities.revocationOf(organisation, authority),
      askList: (asked, url) => lists.ask(asked, url),
      askResponder: (asked, url) => statuses.ask(asked, url),
      known: (authority, issuerNameHash, serial) =>
        lists.revoked(authority, issuerNameHash, serial) ?? statuses.revoked(authority, issuerNameHash, serial),
    },
    listsOf: (authority) =>
      lists.standing(authority).map(({ url, thisUpdate, nextUpdate, revoked, problem }) => ({
        url,
        ...(thisUpdate === undefined ? {} : { thisUpdate: new Date(thisUpdate).toISOString() }),
        ...(nextUpdate === undefined ? {} : { nextUpdate: new Date(nextUpdate).toISOString() }),
        ...(revoked === undefined ? {} : { revoked }),
        ...(problem === undefined ? {} : { problem }),
      })),
    async renew(authority) {
      await Promise.all([lists.renew(authority), statuses.renew(authority)]);
    },
    follow({ kind }) {
      if (kind === 'authority' || kind === 'organisation') takeUp().catch(failed('revocation lists'));
    },
    onRevoked(callback) {
      tell = callback;
    },
    close: () => clearInterval(timer),
  };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase();
}
