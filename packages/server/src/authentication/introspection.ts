import type { RefusalReason } from '@sallyport/model';
import type { ClientProof } from './issuer-client.ts';
import type { AskIssuer } from './issuer-request.ts';
import { type KeptToken, type KeptTokens, tokenHash } from './kept-tokens.ts';
import type { KnownIssuer } from './known-issuer.ts';
import { parseStrictObject } from './strict-json.ts';
import type { Claims } from './token-claims.ts';

/** What an issuer says of a token (RFC 7662). */
export type Introspected =
  | { readonly outcome: 'active'; readonly claims: Claims }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason; readonly text: string };

/** Asks the issuer about a token, or answers what it said not long ago. Never rejects. */
export type Introspect = (issuer: KnownIssuer, token: string) => Promise<Introspected>;

export interface IntrospectionOptions {
  readonly ask: AskIssuer;
  /** Proves this server to the issuer; rejects if its secret cannot be read. */
  readonly proveClient: (issuer: KnownIssuer) => Promise<ClientProof>;
  /** Opens what a session has kept of its token. */
  readonly kept: Pick<KeptTokens, 'open'>;
  readonly now: () => number;
  /** Milliseconds for which a live session stands while its issuer does not answer. */
  readonly outage: number;
}

interface Entry {
  readonly token: string;
  answer: Introspected;
  /** Milliseconds since the epoch until which the answer holds. */
  until: number;
  /** When the issuer last said that the token is active. */
  activeAt: number;
}

interface Circuit {
  failures: number;
  openUntil: number;
}

const MOST_ENTRIES = 20_000;
/** Failures in a row after which an issuer is left alone for a while. */
const FAILURES = 3;
const LEFT_ALONE = 5_000;

/**
 * What issuers say of tokens, kept for as long as each issuer allows and no longer than the token lives; a "no" is kept too. Many who
 * ask of one token at once cause one question. An issuer that does not answer is left alone for a while, and then nobody comes in.
 */
export class Introspection {
  readonly #options: IntrospectionOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, Promise<Introspected>>();
  readonly #circuits = new Map<string, Circuit>();
  readonly #openedAt: number;
  #revocations = 0;

  constructor(options: IntrospectionOptions) {
    this.#options = options;
    this.#openedAt = options.now();
  }

  readonly introspect: Introspect = (issuer, token) => this.#answer(issuer, keyOf(issuer, tokenHash(token)), token);

  /**
   * Whether the token of a session is still active; asks again if the last answer is over, and after a restart. One that cannot be
   * read any more cannot be asked about, and does not count.
   */
  async standing(
    issuer: KnownIssuer,
    kept: KeptToken,
  ): Promise<Extract<Introspected, { outcome: 'refused' }> | undefined> {
    const key = keyOf(issuer, kept.token);
    const entry = this.#entries.get(key);
    const token = entry?.token ?? this.#options.kept.open(kept, issuer);
    if (token === undefined) return UNREADABLE;
    // What this process has never heard of stood when it was started, as far as can be known.
    const activeAt = entry?.activeAt ?? this.#openedAt;
    const answer = await this.#answer(issuer, key, token);
    if (answer.outcome === 'active') return undefined;
    const { now, outage } = this.#options;
    return answer.reason === 'issuer_unavailable' && now() - activeAt < outage ? undefined : answer;
  }

  /** Believes nothing any more that an issuer has said until now, nor what it is about to answer: it has revoked something. */
  distrust({ organisation, id }: Pick<KnownIssuer, 'organisation' | 'id'>): void {
    this.#revocations++;
    const those = `${organisation}/${id}/`;
    for (const [key, entry] of this.#entries) if (key.startsWith(those)) entry.until = 0;
    for (const key of this.#flights.keys()) if (key.startsWith(those)) this.#flights.delete(key);
  }

  #answer(issuer: KnownIssuer, key: string, token: string): Promise<Introspected> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#options.now() < entry.until) return Promise.resolve(entry.answer);
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      // One that was begun before a revocation may have been overtaken by another.
      const begun: Promise<Introspected> = this.#ask(issuer, key, token).finally(() => {
        if (this.#flights.get(key) === begun) this.#flights.delete(key);
      });
      flight = begun;
      this.#flights.set(key, flight);
    }
    return flight;
  }

  async #ask(issuer: KnownIssuer, key: string, token: string): Promise<Introspected> {
    const { ask, proveClient, now } = this.#options;
    const revocations = this.#revocations;
    const settings = issuer.introspection;
    if (settings === undefined) return unavailable('The issuer is not set up to be asked.');
    const circuit = this.#circuitOf(settings.url);
    if (now() < circuit.openUntil)
      return unavailable('The issuer did not answer several times and is left alone for a while.');
    let claims: Claims | undefined;
    try {
      const proof = await proveClient(issuer);
      const form = { token, token_type_hint: 'access_token', ...proof.form };
      claims = parseStrictObject(await ask({ url: settings.url, form, headers: proof.headers }));
      if (claims === undefined || typeof claims.active !== 'boolean')
        throw new Error('the answer says neither yes nor no');
      circuit.failures = 0;
    } catch (error) {
      if (++circuit.failures >= FAILURES) circuit.openUntil = now() + LEFT_ALONE;
      const problem = error instanceof Error ? error.message : String(error);
      return unavailable(`The issuer could not be asked about the token: ${problem}.`);
    }
    const answer: Introspected =
      claims.active === true
        ? { outcome: 'active', claims }
        : {
            outcome: 'refused',
            reason: 'access_token_revoked',
            text: `Issuer ${issuer.id} says that the token is not active.`,
          };
    const isOvertaken = revocations !== this.#revocations;
    this.#keep(key, token, answer, isOvertaken ? 0 : settings.cache * 1000, claims);
    return answer;
  }

  #keep(key: string, token: string, answer: Introspected, cache: number, { exp }: Claims): void {
    const at = this.#options.now();
    const activeAt = answer.outcome === 'active' ? at : 0;
    const end = typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
    // The youngest are at the end, so that the first to go is the one that was not asked about for longest.
    this.#entries.delete(key);
    if (this.#entries.size >= MOST_ENTRIES) this.#entries.delete(this.#entries.keys().next().value ?? '');
    this.#entries.set(key, { token, answer, until: Math.min(at + cache, end), activeAt });
  }

  #circuitOf(url: string): Circuit {
    let circuit = this.#circuits.get(url);
    if (circuit === undefined) {
      circuit = { failures: 0, openUntil: 0 };
      this.#circuits.set(url, circuit);
    }
    return circuit;
  }
}

const UNREADABLE = {
  outcome: 'refused',
  reason: 'rights_changed',
  text: 'What was kept of the access token of the session cannot be read any more, so that its issuer cannot be asked about it.',
} as const;

function unavailable(text: string): Introspected {
  return { outcome: 'refused', reason: 'issuer_unavailable', text };
}

function keyOf({ organisation, id, version }: KnownIssuer, hash: string): string {
  return `${organisation}/${id}/${version}/${hash}`;
}
