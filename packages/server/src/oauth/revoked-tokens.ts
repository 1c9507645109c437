import { Failure } from '@sallyport/model';
import type { TokenNames } from '../authentication/known-issuer.ts';
import type { Database } from '../storage/database.ts';

/** What does not count any more: a token, all tokens of an approval, or all that were issued to somebody until then. */
export interface RevokedName {
  readonly kind: 'token' | 'approval' | 'principal';
  /** `jti` of the token, name of the approval, or `sub` of the tokens. */
  readonly name: string;
}

/** Times in milliseconds since the epoch. */
export interface Revocation extends RevokedName {
  readonly revokedAt: number;
  /** Written form of who did it. */
  readonly revokedBy: string;
  /** By then every token that is meant has expired. */
  readonly endsAt: number;
}

export interface RevokedTokensOptions {
  readonly database: Database;
  readonly now: () => number;
  /** Revocations of one organisation; more are refused with `too_many_requests`. */
  readonly maximumRows: number;
}

/** Of those that one client may make, so that no client takes the place that others need. */
const SHARE = 10;
const KINDS: Readonly<Record<string, RevokedName['kind']>> = { t: 'token', a: 'approval', p: 'principal' };

/**
 * Signed access tokens that were revoked before their end. They are few, as each row ends with its tokens, so all are kept in memory
 * too: whoever asks has the answer at once. A revocation is on disk before it counts.
 */
export class RevokedTokens {
  readonly #options: RevokedTokensOptions;
  readonly #organisations = new Map<string, Map<string, Revocation>>();
  #loading: Promise<void> | undefined;

  constructor(options: RevokedTokensOptions) {
    this.#options = options;
  }

  /** Answers which revocation a token of the organisation falls under; undefined if it counts. */
  async finder(organisation: string): Promise<(token: TokenNames) => Revocation | undefined> {
    await this.#loaded();
    return ({ jti, approval, sub, issuedAt }) => {
      const of = this.#organisations.get(organisation);
      if (of === undefined) return undefined;
      const named =
        (jti === undefined ? undefined : of.get(keyOf({ kind: 'token', name: jti }))) ??
        (approval === undefined ? undefined : of.get(keyOf({ kind: 'approval', name: approval })));
      if (named !== undefined) return named;
      const whole = sub === undefined ? undefined : of.get(keyOf({ kind: 'principal', name: sub }));
      // Tokens tell seconds only: one of the same second may be older than the revocation, so it falls under it.
      return whole && (issuedAt ?? 0) * 1000 <= whole.revokedAt ? whole : undefined;
    };
  }

  /** Those that have not ended, in the order of their making. */
  async list(organisation: string): Promise<readonly Revocation[]> {
    await this.#loaded();
    const now = this.#options.now();
    const all = [...(this.#organisations.get(organisation)?.values() ?? [])].filter(({ endsAt }) => endsAt > now);
    return all.sort((a, b) => a.revokedAt - b.revokedAt);
  }

  /** Throws `too_many_requests` if there is no room; `own`: a client revokes its own token. */
  async add(organisation: string, made: Omit<Revocation, 'revokedAt'>, own = false): Promise<Revocation> {
    await this.#loaded();
    const { database, now, maximumRows } = this.#options;
    const revocation: Revocation = { ...made, revokedAt: now() };
    const of = this.#organisations.get(organisation) ?? new Map<string, Revocation>();
    const key = keyOf(made);
    const known = of.get(key);
    if (known && made.kind !== 'principal') return known;
    const share = own ? [...of.values()].filter(({ revokedBy }) => revokedBy === made.revokedBy).length : 0;
    if (of.size >= maximumRows || share >= maximumRows / SHARE) {
      throw new Failure('too_many_requests', `${organisation} has too many revoked tokens that have not expired.`, {
        cure: 'Suspend the application or device, which ends all its tokens, or withdraw the signing keys.',
      });
    }
    const { revokedAt: revoked_at, revokedBy: revoked_by, endsAt: ends_at } = revocation;
    await database.query
      .insertInto('revoked_tokens')
      .values({ organisation, name: key, revoked_at, revoked_by, ends_at })
      .onConflict((conflict) =>
        conflict.columns(['organisation', 'name']).doUpdateSet({ revoked_at, revoked_by, ends_at }),
      )
      .execute();
    of.set(key, revocation);
    this.#organisations.set(organisation, of);
    return revocation;
  }

  /** Takes away what no token that could still count falls under. */
  async sweep(): Promise<void> {
    const { database, now } = this.#options;
    await database.query.deleteFrom('revoked_tokens').where('ends_at', '<=', now()).execute();
    for (const of of this.#organisations.values()) {
      for (const [key, { endsAt }] of of) if (endsAt <= now()) of.delete(key);
    }
  }

  #loaded(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      // Whoever asks next tries again; until then nobody comes in.
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    const { database, now } = this.#options;
    const rows = await database.query.selectFrom('revoked_tokens').selectAll().where('ends_at', '>', now()).execute();
    for (const { organisation, name: key, revoked_at, revoked_by, ends_at } of rows) {
      const kind = KINDS[key[0] ?? ''];
      if (kind === undefined) continue;
      const of = this.#organisations.get(organisation) ?? new Map<string, Revocation>();
      const times = { revokedAt: Number(revoked_at), endsAt: Number(ends_at) };
      of.set(key, { kind, name: key.slice(2), revokedBy: revoked_by, ...times });
      this.#organisations.set(organisation, of);
    }
  }
}

function keyOf({ kind, name }: RevokedName): string {
  return `${kind[0]}:${name}`;
}
