import type { AskIssuer } from './issuer-request.ts';
import type { KnownIssuer } from './known-issuer.ts';
import { keysFor, readSigningKeys, type SigningKey } from './signing-keys.ts';

export interface KeySetsOptions {
  readonly ask: AskIssuer;
  readonly now: () => number;
  /** Milliseconds after which keys are fetched again, behind the scenes. */
  readonly refresh: number;
  /** Milliseconds for which keys count while they cannot be fetched again. */
  readonly outage: number;
}

export type KeysFound =
  | { readonly found: readonly SigningKey[] }
  | { readonly found: undefined; readonly unavailable: boolean; readonly text: string };

interface KeySet {
  keys: readonly SigningKey[];
  /** When keys came last; 0: never. */
  fetchedAt: number;
  /** When they were asked for last, whatever came of it. */
  askedAt: number;
  problem: string | undefined;
  flight: Promise<void> | undefined;
  usedAt: number;
}

/** A stranger can invent key ids without end: they cause one question in so many milliseconds. */
const ASK_AGAIN = 30_000;
/** After a failure, so that a server that is down is not asked by every client that comes. */
const RETRY = 5_000;
const MOST_SETS = 1_000;

/**
 * The keys by which issuers sign, fetched when they are first needed, kept, and renewed behind the scenes. A key that is not known
 * makes them be fetched again, once in a while. Keys that could not be renewed for too long count no more.
 */
export class KeySets {
  readonly #options: KeySetsOptions;
  readonly #sets = new Map<string, KeySet>();

  constructor(options: KeySetsOptions) {
    this.#options = options;
  }

  async find(issuer: KnownIssuer, header: { readonly alg: string; readonly kid?: string }): Promise<KeysFound> {
    if (issuer.keys !== undefined) return keysFound(keysFor(issuer.keys, header), issuer.keys, header.kid);
    const { jwksUrl: url } = issuer;
    if (url === undefined) return { found: undefined, unavailable: false, text: 'The issuer has no keys.' };
    const { now, refresh, outage } = this.#options;
    const set = this.#setOf(url);
    set.usedAt = now();
    if (!this.#holds(set)) {
      if (now() - set.askedAt >= RETRY || set.flight !== undefined) await this.#fetch(url, set);
      if (!this.#holds(set)) {
        const text =
          set.fetchedAt === 0
            ? `The keys of the issuer cannot be fetched: ${set.problem ?? 'no answer'}.`
            : `The keys of the issuer could not be fetched for more than ${outage / 1000} s: ${set.problem ?? 'no answer'}.`;
        return { found: undefined, unavailable: true, text };
      }
    } else if (now() - set.fetchedAt >= refresh && now() - set.askedAt >= RETRY) void this.#fetch(url, set);
    let fitting = keysFor(set.keys, header);
    if (fitting.length === 0 && (set.flight !== undefined || now() - set.askedAt >= ASK_AGAIN)) {
      await this.#fetch(url, set);
      fitting = keysFor(set.keys, header);
    }
    return keysFound(fitting, set.keys, header.kid);
  }

  /** Renews the keys of the issuers that were used of late. To be called now and then. */
  async renew(): Promise<void> {
    const { now, refresh, outage } = this.#options;
    const due: Promise<void>[] = [];
    for (const [url, set] of this.#sets) {
      if (now() - set.usedAt > outage) this.#sets.delete(url);
      else if (now() - set.fetchedAt >= refresh) due.push(this.#fetch(url, set));
    }
    await Promise.all(due);
  }

  #holds({ fetchedAt }: KeySet): boolean {
    return fetchedAt > 0 && this.#options.now() - fetchedAt < this.#options.outage;
  }

  #setOf(url: string): KeySet {
    let set = this.#sets.get(url);
    if (set === undefined) {
      if (this.#sets.size >= MOST_SETS) this.#sets.delete(this.#sets.keys().next().value ?? '');
      set = {
        keys: [],
        fetchedAt: 0,
        askedAt: Number.NEGATIVE_INFINITY,
        problem: undefined,
        flight: undefined,
        usedAt: 0,
      };
      this.#sets.set(url, set);
    }
    return set;
  }

  #fetch(url: string, set: KeySet): Promise<void> {
    set.flight ??= this.#ask(url, set).finally(() => {
      set.flight = undefined;
    });
    return set.flight;
  }

  async #ask(url: string, set: KeySet): Promise<void> {
    const { ask, now } = this.#options;
    set.askedAt = now();
    try {
      const read = readSigningKeys(await ask({ url }));
      if (!read.ok) throw new Error(`what ${url} answers is no set of keys: ${read.problem}`);
      set.keys = read.keys;
      set.fetchedAt = now();
      set.problem = undefined;
    } catch (error) {
      set.problem = error instanceof Error ? error.message : String(error);
    }
  }
}

function keysFound(fitting: readonly SigningKey[], all: readonly SigningKey[], kid: string | undefined): KeysFound {
  if (fitting.length > 0) return { found: fitting };
  const known = all.map((key) => key.kid ?? 'one without an id').join(', ');
  const wanted =
    kid === undefined ? 'names no key, and it is not plain which one is meant' : 'names a key that does not fit';
  return {
    found: undefined,
    unavailable: false,
    text: `The access token ${wanted}; the issuer has ${known.slice(0, 200) || 'none'}.`,
  };
}
