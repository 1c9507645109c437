import type { Parsed } from '@sallyport/model';
import {
  fingerprintSha256,
  REVOCATION_LIST_BYTES_MAXIMUM,
  readRevocationList,
  type VerifiedRevocationList,
} from '@sallyport/trust';
import type { FetchOptions } from './fetch-public.ts';
import type { ForeignListFiles } from './foreign-list-files.ts';
import {
  FIRST_WAIT,
  type ForeignCertificate,
  type ForeignEvent,
  type ForeignStatus,
  type ListPlace,
  within,
} from './foreign-source.ts';

export interface ForeignListsOptions {
  readonly fetch: (options: Pick<FetchOptions, 'url' | 'maximumBytes' | 'timeout'>) => Promise<Parsed<Uint8Array>>;
  readonly files: ForeignListFiles;
  /** However long a list says that it may be used, news is looked for so often. Milliseconds. */
  readonly longestRest: number;
  readonly now: () => number;
  readonly emit: (event: ForeignEvent) => void;
  /** A list has come that names certificates which nobody knew to be revoked. */
  readonly onRevoked: (authority: string) => void;
}

/** How a list stands, for people. Times are milliseconds since the epoch. */
export interface ListStanding {
  readonly authority: string;
  readonly url: string;
  readonly revoked?: number;
  readonly thisUpdate?: number;
  readonly nextUpdate?: number;
  readonly problem?: string;
}

interface Source extends ListPlace {
  list?: VerifiedRevocationList;
  problem?: string | undefined;
  state: 'well' | 'failing' | 'ended';
  failures: number;
  dueAt: number;
  fetching?: Promise<void> | undefined;
  /** The last fetched list names somebody whom the one before did not. */
  hasNews?: boolean;
}

const MINUTE = 60_000;
/** URLs that one imported authority may make this server fetch, and all together. */
const SOURCES_OF_ONE = 16;
const SOURCES_MAXIMUM = 500;
const FETCH_TIMEOUT = 30_000;
const SLOWEST_RETRY = 15 * MINUTE;
const AT_ONCE = 4;
/** Clocks differ. */
const FUTURE_TOLERATED = 60 * MINUTE;

/**
 * The revocation lists of imported authorities: fetched when a certificate first names them, kept in memory and on disk, and fetched
 * anew long before they end. A list counts below the authority that it was learnt of, and nowhere else.
 */
export class ForeignLists {
  readonly #options: ForeignListsOptions;
  readonly #sources = new Map<string, Source>();
  #fetching = 0;

  constructor(options: ForeignListsOptions) {
    this.#options = options;
  }

  /** Takes up what the disk has kept. What is damaged there is fetched again. */
  async open(): Promise<void> {
    for (const { place, der } of await this.#options.files.load()) {
      const key = await keyOf(place);
      const read = der && (await readRevocationList({ list: der, issuer: place.issuer }));
      this.#sources.set(key, {
        ...place,
        ...(read?.ok ? { list: read.value } : {}),
        state: 'well',
        failures: 0,
        dueAt: read?.ok && read.value.nextUpdate > this.#options.now() ? this.#restUntil(read.value) : 0,
      });
    }
  }

  /** What the list says of a certificate. Waits a moment for a list that was never fetched, never for one that is at hand. */
  async ask({ authority, certificate, issuer }: ForeignCertificate, url: string): Promise<ForeignStatus> {
    const { der, subjectNameHash } = issuer;
    const source = await this.#sourceOf({ authority, issuer: der, issuerNameHash: subjectNameHash, url });
    if (!source) return { status: 'unknown', why: 'its authority names too many lists' };
    const now = this.#options.now();
    const isUsable = source.list !== undefined && source.list.nextUpdate > now;
    if (!isUsable && (source.fetching || source.dueAt <= now)) {
      await within(this.#refresh(source), FIRST_WAIT, undefined);
    }
    const { list, problem } = source;
    if (!list)
      return { status: 'unknown', why: `the list ${url} is not there: ${problem ?? 'it is still being fetched'}` };
    const revokedAt = list.revoked.get(certificate.serial);
    if (revokedAt !== undefined) return { status: 'revoked', revokedAt, url };
    if (list.nextUpdate <= now) {
      const ended = new Date(list.nextUpdate).toISOString();
      return {
        status: 'unknown',
        why: `the list ${url} ended at ${ended}${problem === undefined ? '' : ` and ${problem}`}`,
      };
    }
    return { status: 'good' };
  }

  /** Begins with a list before any client asks for it. */
  async prefetch(place: ListPlace): Promise<void> {
    const source = await this.#sourceOf(place);
    if (source && !source.list) await this.#refresh(source);
  }

  /** Fetches the lists of an authority now, whether they are due or not. */
  async renew(authority: string): Promise<void> {
    const own = [...this.#sources.values()].filter((source) => source.authority === authority);
    await Promise.all(own.map((source) => this.#refresh(source)));
  }

  /** Whether some list at hand, even one that has ended, names this certificate. */
  revoked(
    authority: string,
    issuerNameHash: string,
    serial: string,
  ): { readonly revokedAt: number; readonly url: string } | undefined {
    for (const source of this.#sources.values()) {
      if (source.authority !== authority || source.issuerNameHash !== issuerNameHash) continue;
      const revokedAt = source.list?.revoked.get(serial);
      if (revokedAt !== undefined) return { revokedAt, url: source.url };
    }
    return undefined;
  }

  standing(authority?: string): readonly ListStanding[] {
    return [...this.#sources.values()]
      .filter((source) => authority === undefined || source.authority === authority)
      .map(({ authority: of, url, list, problem }) => ({
        authority: of,
        url,
        ...(list ? { revoked: list.revoked.size, thisUpdate: list.thisUpdate, nextUpdate: list.nextUpdate } : {}),
        ...(problem === undefined ? {} : { problem }),
      }));
  }

  /** Forgets the lists of authorities that are not asked about any more. */
  async retain(authorities: ReadonlySet<string>): Promise<void> {
    for (const [key, { authority }] of this.#sources) {
      if (authorities.has(authority)) continue;
      this.#sources.delete(key);
      await this.#options.files.remove(key);
    }
  }

  /** Fetches what is due; called at short intervals. */
  async tend(): Promise<void> {
    const now = this.#options.now();
    const due = [...this.#sources.values()].filter((source) => source.dueAt <= now && !source.fetching);
    await Promise.all(due.slice(0, AT_ONCE - this.#fetching).map((source) => this.#refresh(source)));
    for (const source of this.#sources.values()) this.#watchEnd(source, now);
  }

  async #sourceOf(place: ListPlace): Promise<Source | undefined> {
    const key = await keyOf(place);
    const known = this.#sources.get(key);
    if (known) return known;
    const own = [...this.#sources.values()].filter(({ authority }) => authority === place.authority).length;
    if (own >= SOURCES_OF_ONE || this.#sources.size >= SOURCES_MAXIMUM) return undefined;
    const source: Source = { ...place, state: 'well', failures: 0, dueAt: 0 };
    this.#sources.set(key, source);
    return source;
  }

  #refresh(source: Source): Promise<void> {
    source.fetching ??= this.#fetch(source).finally(() => {
      source.fetching = undefined;
    });
    return source.fetching;
  }

  async #fetch(source: Source): Promise<void> {
    const { fetch, now, emit, files, onRevoked } = this.#options;
    const { authority, issuer, url } = source;
    this.#fetching += 1;
    try {
      const problem = await this.#take(
        source,
        await fetch({ url, maximumBytes: REVOCATION_LIST_BYTES_MAXIMUM, timeout: FETCH_TIMEOUT }),
      );
      source.problem = problem;
      if (problem !== undefined) {
        source.failures += 1;
        source.dueAt = now() + Math.min(SLOWEST_RETRY, MINUTE * source.failures);
        if (source.state === 'well') {
          source.state = 'failing';
          const usableUntil = source.list?.nextUpdate;
          emit({
            type: 'revocation.failing',
            authority,
            url,
            problem,
            ...(usableUntil === undefined ? {} : { usableUntil }),
          });
        }
        return;
      }
    } finally {
      this.#fetching -= 1;
    }
    source.failures = 0;
    if (source.state !== 'well') {
      source.state = 'well';
      emit({ type: 'revocation.recovered', authority, url });
    }
    const { list } = source;
    if (!list) return;
    source.dueAt = this.#restUntil(list);
    const key = await keyOf(source);
    // Removed meanwhile: nothing of it is kept.
    if (this.#sources.get(key) !== source) return;
    await files.save(key, { authority, issuer, issuerNameHash: source.issuerNameHash, url }, list.der);
    if (source.hasNews) onRevoked(authority);
  }

  /** Puts a fetched list in the place of the one at hand; answers what is wrong with it, if anything is. */
  async #take(source: Source, fetched: Parsed<Uint8Array>): Promise<string | undefined> {
    if (!fetched.ok) return fetched.problem;
    const read = await readRevocationList({ list: fetched.value, issuer: source.issuer });
    if (!read.ok) return read.problem;
    const { thisUpdate, nextUpdate, revoked } = read.value;
    const now = this.#options.now();
    if (thisUpdate > now + FUTURE_TOLERATED) return `it is of ${new Date(thisUpdate).toISOString()}, which is to come`;
    // Whoever can answer in the place of the authority must not be able to take a revocation back.
    if (source.list && thisUpdate < source.list.thisUpdate) return 'it is older than the one at hand';
    if (nextUpdate <= now) return `it has ended at ${new Date(nextUpdate).toISOString()}`;
    const before = source.list?.revoked;
    source.hasNews = [...revoked.keys()].some((serial) => !before?.has(serial));
    source.list = read.value;
    return undefined;
  }

  #watchEnd(source: Source, now: number): void {
    const { list, state, authority, url } = source;
    if (!list || list.nextUpdate > now || state === 'ended') return;
    source.state = 'ended';
    this.#options.emit({
      type: 'revocation.failing',
      authority,
      url,
      problem: `the list has ended; ${source.problem ?? 'no newer one is there'}`,
    });
  }

  /** When a list is fetched anew: with a quarter of its life left, so that there is time to mend what does not work. */
  #restUntil({ thisUpdate, nextUpdate }: VerifiedRevocationList): number {
    const now = this.#options.now();
    const aim = thisUpdate + (3 / 4) * (nextUpdate - thisUpdate);
    const { longestRest } = this.#options;
    return Math.max(now + Math.min(MINUTE, longestRest), Math.min(aim, now + longestRest));
  }
}

async function keyOf({ authority, issuer, url }: Pick<ListPlace, 'authority' | 'issuer' | 'url'>): Promise<string> {
  const named = new TextEncoder().encode(`${authority} ${await fingerprintSha256(issuer)} ${url}`);
  return fingerprintSha256(named);
}
