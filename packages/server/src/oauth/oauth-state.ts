import { Failure } from '@sallyport/model';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Database } from '../storage/database.ts';
import type { OauthStatesTable } from '../storage/oauth-tables.ts';

export interface OauthStateOptions {
  readonly database: Database;
  /** HMAC under a key that is not in the database: a stolen one holds no token that could be used. */
  readonly hash: (text: string) => Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Rows of one organisation; more are refused with `too_many_requests`. */
  readonly maximumRows: number;
  /** Told of the principal of opaque access tokens that were taken back before their end; absent if they do not say whose they are. */
  readonly onRevoked: (organisation: string, principal: string | undefined) => void;
}

/** In their opaque form only: signed ones are not kept. */
const ACCESS_TOKENS: ReadonlySet<string> = new Set(['AccessToken', 'ClientCredentials']);

/** Stands in place of a token that is not known, for rows that were found by something else. No token has this form. */
const BY_HASH = '=hash=';

/**
 * What the authorization server remembers: device codes, grants, refresh tokens and opaque access tokens, in the registry and by
 * hash only. Every row ends, and {@link sweep} takes away those that have.
 */
export class OauthState {
  readonly #options: OauthStateOptions;

  constructor(options: OauthStateOptions) {
    this.#options = options;
  }

  /** The store of one kind of thing of one organisation, in the form that oidc-provider asks for. `expiresIn` is in seconds. */
  adapter(organisation: string, model: string): Adapter {
    const { database, now } = this.#options;
    const { query } = database;
    const keyOf = (id: string) => ({ organisation, model, id_hash: this.#idHash(organisation, model, id) });
    const rowOf = (id: string) => {
      const { id_hash } = keyOf(id);
      return query
        .selectFrom('oauth_states')
        .selectAll()
        .where('organisation', '=', organisation)
        .where('model', '=', model)
        .where('id_hash', '=', id_hash)
        .where('expires_at', '>', now())
        .executeTakeFirst();
    };
    return {
      upsert: async (id, payload, expiresIn) => {
        const { jti: _, userCode, consumed: __, ...kept } = payload;
        const row: OauthStatesTable = {
          ...keyOf(id),
          payload: JSON.stringify(kept),
          grant_id: payload.grantId ?? null,
          user_code_hash: userCode === undefined ? null : this.#codeHash(organisation, userCode),
          principal: principalOf(organisation, payload),
          // What has no end would stay for ever; nothing that we issue has none.
          expires_at: now() + (expiresIn ?? 0) * 1000,
          consumed_at: null,
        };
        await this.#makeRoom(organisation, id, rowOf);
        const { payload: text, grant_id, principal, expires_at } = row;
        await query
          .insertInto('oauth_states')
          .values(row)
          .onConflict((conflict) =>
            conflict
              .columns(['organisation', 'model', 'id_hash'])
              .doUpdateSet({ payload: text, grant_id, principal, expires_at }),
          )
          .execute();
      },
      find: async (id) => {
        // A stranger must not reach a row by its hash: what is shown here is always a token.
        if (id.startsWith(BY_HASH)) return undefined;
        const row = await rowOf(id);
        return row && payloadOf(row, id);
      },
      findByUserCode: async (userCode) => {
        const row = await query
          .selectFrom('oauth_states')
          .selectAll()
          .where('organisation', '=', organisation)
          .where('model', '=', model)
          .where('user_code_hash', '=', this.#codeHash(organisation, userCode))
          .where('expires_at', '>', now())
          .executeTakeFirst();
        return row && { ...payloadOf(row, `${BY_HASH}${row.id_hash}`), userCode };
      },
      findByUid: async () => undefined,
      consume: async (id) => {
        // Of two that come at once one finds it used: a code is redeemed once.
        const { numUpdatedRows } = await query
          .updateTable('oauth_states')
          .set({ consumed_at: now() })
          .where('organisation', '=', organisation)
          .where('model', '=', model)
          .where('id_hash', '=', keyOf(id).id_hash)
          .where('consumed_at', 'is', null)
          .executeTakeFirst();
        if (Number(numUpdatedRows) === 0) throw new AlreadyConsumed();
      },
      destroy: async (id) => {
        const removed = await query
          .deleteFrom('oauth_states')
          .where('organisation', '=', organisation)
          .where('model', '=', model)
          .where('id_hash', '=', keyOf(id).id_hash)
          .returning('principal')
          .execute();
        this.#tell(organisation, model, removed);
      },
      revokeByGrantId: async (grantId) => {
        const removed = await query
          .deleteFrom('oauth_states')
          .where('organisation', '=', organisation)
          .where('model', '=', model)
          .where('grant_id', '=', grantId)
          .returning('principal')
          .execute();
        this.#tell(organisation, model, removed);
      },
    };
  }

  /** Takes away all that was issued to a principal, in written form. */
  async forget(principal: string): Promise<void> {
    await this.#options.database.query.deleteFrom('oauth_states').where('principal', '=', principal).execute();
  }

  /** How many of a kind an organisation has that have not ended. */
  async count(organisation: string, model?: string): Promise<number> {
    let select = this.#options.database.query
      .selectFrom('oauth_states')
      .select((e) => e.fn.countAll<number>().as('rows'))
      .where('organisation', '=', organisation)
      .where('expires_at', '>', this.#options.now());
    if (model !== undefined) select = select.where('model', '=', model);
    return Number((await select.executeTakeFirstOrThrow()).rows);
  }

  /** Takes away what has ended. */
  async sweep(): Promise<void> {
    const { database, now } = this.#options;
    await database.query.deleteFrom('oauth_states').where('expires_at', '<=', now()).execute();
  }

  #tell(organisation: string, model: string, removed: readonly { readonly principal: string | null }[]): void {
    if (!ACCESS_TOKENS.has(model)) return;
    for (const principal of new Set(removed.map((row) => row.principal ?? undefined))) {
      this.#options.onRevoked(organisation, principal);
    }
  }

  async #makeRoom(organisation: string, id: string, rowOf: (id: string) => Promise<unknown>): Promise<void> {
    const { maximumRows } = this.#options;
    if ((await this.count(organisation)) < maximumRows || (await rowOf(id)) !== undefined) return;
    throw new Failure(
      'too_many_requests',
      `The authorization server of ${organisation} keeps ${maximumRows} tokens and codes already.`,
    );
  }

  #idHash(organisation: string, model: string, id: string): string {
    if (id.startsWith(BY_HASH)) return id.slice(BY_HASH.length);
    return Buffer.from(this.#options.hash(`oauth ${organisation} ${model} ${id}`)).toString('hex');
  }

  #codeHash(organisation: string, userCode: string): string {
    return Buffer.from(this.#options.hash(`oauth-user-code ${organisation} ${userCode}`)).toString('hex');
  }
}

/** Somebody else has used the code or token while this request was under way. */
export class AlreadyConsumed extends Error {}

function payloadOf(row: OauthStatesTable, id: string): AdapterPayload {
  return {
    ...(JSON.parse(row.payload) as AdapterPayload),
    jti: id,
    ...(row.consumed_at === null ? {} : { consumed: Math.floor(Number(row.consumed_at) / 1000) }),
  };
}

/** A device's account is its principal; of other tokens the subject says it, without the organisation. */
function principalOf(organisation: string, { accountId, extra }: AdapterPayload): string | null {
  const subject = (extra as { readonly sub?: unknown } | undefined)?.sub;
  return accountId ?? (typeof subject === 'string' ? subject.replace(':', `:${organisation}/`) : null);
}
