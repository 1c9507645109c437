import { Failure, type Page, parseOrganisationId, SECURITY_LEVELS, type SecurityLevel } from '@sallyport/model';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { present } from '../storage/present.ts';
import { alreadyExists, checked, checkedName, checkedWord, notFound } from './checks.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import type { Organisation } from './records.ts';
import { listAsRevoked } from './revoked-certificates.ts';
import { organisationOf } from './rows.ts';

export interface Organisations {
  create(input: { id: string; name?: string; security?: SecurityLevel; by: string }): Promise<Organisation>;
  get(id: string): Promise<Organisation>;
  list(page?: PageRequest): Promise<Page<Organisation>>;
  update(input: { id: string; name?: string; security?: SecurityLevel; by: string }): Promise<Organisation>;
  /** Refused with `in_use` while it has device types, devices or applications. */
  remove(input: { id: string; by: string }): Promise<void>;
  suspend(input: { id: string; by: string }): Promise<Organisation>;
  resume(input: { id: string; by: string }): Promise<Organisation>;
}

const DEFAULT_SECURITY: SecurityLevel = 'tls-token';

/** The organisation, or `not_found`. */
export async function organisationIn(executor: Executor, id: string): Promise<Organisation> {
  const row = await executor.selectFrom('organisations').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw notFound(`Organisation "${id}"`);
  return organisationOf(row);
}

export function organisations(ground: Ground): Organisations {
  const { query } = ground.database;

  const setSuspended = (change: 'suspended' | 'resumed') => (input: { id: string; by: string }) =>
    mutate(ground, input.by, async (transaction, note) => {
      const found = await organisationIn(transaction, input.id);
      if ((found.suspendedAt !== undefined) === (change === 'suspended')) return found;
      await transaction
        .updateTable('organisations')
        .set({ suspended_at: change === 'suspended' ? ground.now() : null })
        .where('id', '=', input.id)
        .execute();
      note({ kind: 'organisation', change, organisation: input.id, target: targetOf(input.id) });
      return organisationIn(transaction, input.id);
    });

  return {
    async create({ id, name = id, security = DEFAULT_SECURITY, by }) {
      const row = {
        id: checked('id', parseOrganisationId(id)),
        name: checkedName('name', name),
        security: checkedWord('security', security, SECURITY_LEVELS),
        created_at: ground.now(),
        suspended_at: null,
      };
      return mutate(ground, by, async (transaction, note) => {
        const known = await transaction
          .selectFrom('organisations')
          .select('id')
          .where('id', '=', id)
          .executeTakeFirst();
        if (known) throw alreadyExists(`Organisation "${id}"`);
        await transaction.insertInto('organisations').values(row).execute();
        note({
          kind: 'organisation',
          change: 'created',
          organisation: id,
          target: targetOf(id),
          details: { security },
        });
        return organisationOf(row);
      });
    },

    get: (id) => organisationIn(query, id),

    async list(page = {}) {
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('organisations')
        .selectAll()
        .orderBy('id')
        .limit(limit + 1);
      if (page.after !== undefined) select = select.where('id', '>', page.after);
      return pageOf(await select.execute(), limit, organisationOf, (row) => row.id);
    },

    async update({ id, name, security, by }) {
      const changes = present({
        name: name === undefined ? undefined : checkedName('name', name),
        security: security === undefined ? undefined : checkedWord('security', security, SECURITY_LEVELS),
      });
      return mutate(ground, by, async (transaction, note) => {
        const found = await organisationIn(transaction, id);
        if (Object.keys(changes).length === 0) return found;
        await transaction.updateTable('organisations').set(changes).where('id', '=', id).execute();
        note({ kind: 'organisation', change: 'updated', organisation: id, target: targetOf(id), details: changes });
        return organisationIn(transaction, id);
      });
    },

    remove: ({ id, by }) =>
      mutate(ground, by, async (transaction, note) => {
        await organisationIn(transaction, id);
        for (const table of ['device_types', 'applications'] as const) {
          const left = await transaction
            .selectFrom(table)
            .select('id')
            .where('organisation', '=', id)
            .executeTakeFirst();
          if (left) {
            throw new Failure(
              'in_use',
              `Organisation "${id}" still has ${table === 'applications' ? 'applications' : 'device types'}, for example "${left.id}".`,
            );
          }
        }
        for (const table of ['enrolment_codes', 'claims', 'pending_devices'] as const) {
          await transaction.deleteFrom(table).where('organisation', '=', id).execute();
        }
        await transaction.deleteFrom('policies').where('organisation', '=', id).execute();
        await listAsRevoked(transaction, { organisation: id }, ground.now());
        await transaction.deleteFrom('certificates').where('organisation', '=', id).execute();
        await transaction.deleteFrom('issuers').where('organisation', '=', id).execute();
        await transaction.deleteFrom('authorities').where('organisation', '=', id).execute();
        await transaction.deleteFrom('address_list_entries').where('scope', '=', id).execute();
        await transaction.deleteFrom('address_lists').where('scope', '=', id).execute();
        await transaction.deleteFrom('oauth_states').where('organisation', '=', id).execute();
        await transaction.deleteFrom('oauth_keys').where('organisation', '=', id).execute();
        await transaction.deleteFrom('organisations').where('id', '=', id).execute();
        note({ kind: 'organisation', change: 'removed', organisation: id, target: targetOf(id) });
      }),

    suspend: setSuspended('suspended'),
    resume: setSuspended('resumed'),
  };
}

function targetOf(id: string): string {
  return `organisation:${id}`;
}
