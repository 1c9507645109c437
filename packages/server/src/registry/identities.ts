import { Failure, type Page, parsePrincipal } from '@sallyport/model';
import type { Selectable } from 'kysely';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { numeric, present } from '../storage/present.ts';
import type { IdentitiesTable } from '../storage/tables.ts';
import { applicationIn } from './applications.ts';
import { alreadyExists, checked, checkedExpiry, invalid, notFound } from './checks.ts';
import { deviceIn } from './devices.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import { organisationIn } from './organisations.ts';
import type { IdentityRecord } from './records.ts';

/** Public keys that were read and judged; the key id is theirs. */
export interface NewIdentity {
  readonly principal: string;
  readonly keyId: string;
  readonly algorithm: 'EdDSA' | 'ES256';
  readonly signingKey: Uint8Array;
  readonly sealingKey?: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
  /** When the earlier keys of the principal end, if they do not end before; left out, they stay. */
  readonly endEarlierAt?: number;
  readonly by: string;
}

/** The directory of the keys by which applications and devices know each other. Only public keys are in it. */
export interface Identities {
  /** Refused with `already_exists` if anybody has these keys already. */
  add(input: NewIdentity): Promise<IdentityRecord>;
  get(name: { organisation: string; keyId: string }): Promise<IdentityRecord>;
  /** Newest first, the ended ones too. */
  list(input: { organisation: string; principal?: string } & PageRequest): Promise<Page<IdentityRecord>>;
  /** The keys of a principal that were revoked, newest first. */
  revokedOf(principal: string, most: number): Promise<readonly string[]>;
  revoke(input: { organisation: string; keyId: string; by: string }): Promise<IdentityRecord>;
}

/** More at once would mean that nobody ends the old ones. */
const MOST_IN_FORCE = 8;

export function identities(ground: Ground): Identities {
  const { query } = ground.database;
  return {
    async add({ principal: name, keyId, algorithm, signingKey, sealingKey, by, ...times }) {
      const principal = checked('principal', parsePrincipal(name));
      if (principal.kind === 'operator') throw invalid('principal', 'operators have no keys for messages');
      const now = ground.now();
      const notAfter = checkedExpiry(times.notAfter, now) ?? now;
      return mutate(ground, by, async (transaction, note) => {
        const { organisation } = principal;
        const known =
          principal.kind === 'application'
            ? 'application'
            : (await deviceIn(transaction, { organisation, type: principal.type, id: principal.id })).class;
        if (principal.kind === 'application') await applicationIn(transaction, principal);
        if (known !== principal.kind) throw notFound(name);
        const taken = await transaction
          .selectFrom('identities')
          .select('principal')
          .where('key_id', '=', keyId)
          .executeTakeFirst();
        if (taken) throw alreadyExists('An identity with these keys');
        if (times.endEarlierAt !== undefined) {
          await transaction
            .updateTable('identities')
            .set({ not_after: Math.max(times.endEarlierAt, now) })
            .where('principal', '=', name)
            .where('not_after', '>', times.endEarlierAt)
            .execute();
        }
        await refuseCrowd(transaction, name, now);
        const row = {
          key_id: keyId,
          organisation,
          principal: name,
          algorithm,
          signing_key: signingKey,
          sealing_key: sealingKey ?? null,
          not_before: now,
          not_after: notAfter,
          created_at: now,
          created_by: by,
          revoked_at: null,
          revoked_by: null,
        };
        await transaction.insertInto('identities').values(row).execute();
        const record = identityOf(row);
        note({ ...changeOf(record), change: 'created', details: { keyId, algorithm, notAfter } });
        return record;
      });
    },

    get: ({ organisation, keyId }) => identityIn(query, organisation, keyId),

    async list({ organisation, principal, ...page }) {
      await organisationIn(query, organisation);
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('identities')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('sequence', 'desc')
        .limit(limit + 1);
      if (principal !== undefined) select = select.where('principal', '=', principal);
      if (page.after !== undefined) {
        const after = Number(page.after);
        if (!Number.isSafeInteger(after)) throw invalid('after', 'it is not the end of a page');
        select = select.where('sequence', '<', after);
      }
      return pageOf(await select.execute(), limit, identityOf, (row) => String(row.sequence));
    },

    async revokedOf(principal, most) {
      const rows = await query
        .selectFrom('identities')
        .select('key_id')
        .where('principal', '=', principal)
        .where('revoked_at', 'is not', null)
        .orderBy('revoked_at', 'desc')
        .limit(most)
        .execute();
      return rows.map((row) => row.key_id);
    },

    revoke: ({ organisation, keyId, by }) =>
      mutate(ground, by, async (transaction, note) => {
        const found = await identityIn(transaction, organisation, keyId);
        if (found.revokedAt !== undefined) return found;
        await transaction
          .updateTable('identities')
          .set({ revoked_at: ground.now(), revoked_by: by })
          .where('key_id', '=', keyId)
          .execute();
        note({ ...changeOf(found), change: 'revoked', details: { keyId } });
        return identityIn(transaction, organisation, keyId);
      }),
  };
}

async function identityIn(executor: Executor, organisation: string, keyId: string): Promise<IdentityRecord> {
  await organisationIn(executor, organisation);
  const row = await executor
    .selectFrom('identities')
    .selectAll()
    .where('organisation', '=', organisation)
    .where('key_id', '=', keyId)
    .executeTakeFirst();
  if (!row) throw notFound(`Key "${keyId}" of organisation "${organisation}"`);
  return identityOf(row);
}

async function refuseCrowd(executor: Executor, principal: string, now: number): Promise<void> {
  const { count } = await executor
    .selectFrom('identities')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('principal', '=', principal)
    .where('revoked_at', 'is', null)
    .where('not_after', '>', now)
    .executeTakeFirstOrThrow();
  if (Number(count) < MOST_IN_FORCE) return;
  throw new Failure('in_use', `${principal} has ${MOST_IN_FORCE} keys in force, which is the most.`, {
    cure: 'Revoke those that nobody uses any more.',
  });
}

function identityOf(row: Omit<Selectable<IdentitiesTable>, 'sequence'>): IdentityRecord {
  return {
    keyId: row.key_id,
    organisation: row.organisation,
    principal: row.principal,
    algorithm: row.algorithm as IdentityRecord['algorithm'],
    signingKey: Uint8Array.from(row.signing_key),
    notBefore: Number(row.not_before),
    notAfter: Number(row.not_after),
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    ...present({
      sealingKey: row.sealing_key === null ? null : Uint8Array.from(row.sealing_key),
      revokedAt: numeric(row.revoked_at),
      revokedBy: row.revoked_by,
    }),
  };
}

function changeOf({ keyId, organisation, principal }: IdentityRecord) {
  return { kind: 'identity', organisation, principal, target: `identity:${organisation}/${keyId}` } as const;
}
