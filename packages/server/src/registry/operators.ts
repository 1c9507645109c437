import {
  Failure,
  OPERATOR_ROLES,
  type OperatorRole,
  type Page,
  parseApplicationId,
  principalName,
} from '@sallyport/model';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { alreadyExists, checked, checkedWord, notFound } from './checks.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import { credentialDetails, insertCredential } from './issue.ts';
import { operatorToken } from './operator-token.ts';
import type { Issued, Operator } from './records.ts';
import { operatorOf } from './rows.ts';

export interface Operators {
  /** The token is always generated, never chosen: see {@link operatorToken}. */
  create(input: { id: string; role: OperatorRole; expiresAt?: number; by: string }): Promise<Issued<Operator>>;
  get(id: string): Promise<Operator>;
  list(page?: PageRequest): Promise<Page<Operator>>;
  /** Refused with `in_use` for the last administrator that is not suspended: nobody could undo it. */
  update(input: { id: string; role: OperatorRole; by: string }): Promise<Operator>;
  /** Its credentials end with it. Refused as `update` is. */
  remove(input: { id: string; by: string }): Promise<void>;
  /** Refused as `update` is. */
  suspend(input: { id: string; by: string }): Promise<Operator>;
  resume(input: { id: string; by: string }): Promise<Operator>;
}

/** The operator, or `not_found`. */
export async function operatorIn(executor: Executor, id: string): Promise<Operator> {
  const row = await executor.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw notFound(nameOf(id));
  return operatorOf(row);
}

export function operators(ground: Ground): Operators {
  const { query } = ground.database;

  const change = (
    input: { id: string; by: string },
    kind: 'updated' | 'suspended' | 'resumed',
    changes: Readonly<Record<string, string | number | null>>,
  ): Promise<Operator> =>
    mutate(ground, input.by, async (transaction, note) => {
      const found = await operatorIn(transaction, input.id);
      if (kind !== 'updated' && (found.suspendedAt !== undefined) === (kind === 'suspended')) return found;
      await transaction.updateTable('operators').set(changes).where('id', '=', input.id).execute();
      await keepAnAdministrator(transaction, found);
      note({ ...changeOf(input.id), change: kind, ...(kind === 'updated' && { details: changes }) });
      return operatorIn(transaction, input.id);
    });

  return {
    async create({ id, role, expiresAt, by }) {
      const row = {
        id: checked('id', parseApplicationId(id)),
        role: checkedWord('role', role, OPERATOR_ROLES),
        created_at: ground.now(),
        suspended_at: null,
      };
      const token = operatorToken(id, ground.random);
      const tokenHash = ground.hashToken(token);
      return mutate(ground, by, async (transaction, note) => {
        const known = await transaction.selectFrom('operators').select('id').where('id', '=', id).executeTakeFirst();
        if (known) throw alreadyExists(nameOf(id));
        await transaction.insertInto('operators').values(row).execute();
        const principal = nameOf(id);
        const credential = await insertCredential(ground, transaction, { principal, tokenHash, expiresAt, by });
        note({ ...changeOf(id), change: 'created', details: { role, ...credentialDetails(credential) } });
        return { record: operatorOf(row), credential, token };
      });
    },

    get: (id) => operatorIn(query, id),

    async list(page = {}) {
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('operators')
        .selectAll()
        .orderBy('id')
        .limit(limit + 1);
      if (page.after !== undefined) select = select.where('id', '>', page.after);
      return pageOf(await select.execute(), limit, operatorOf, (row) => row.id);
    },

    update: async (input) => change(input, 'updated', { role: checkedWord('role', input.role, OPERATOR_ROLES) }),

    remove: ({ id, by }) =>
      mutate(ground, by, async (transaction, note) => {
        const found = await operatorIn(transaction, id);
        await transaction.deleteFrom('credentials').where('principal', '=', nameOf(id)).execute();
        await transaction.deleteFrom('operators').where('id', '=', id).execute();
        await keepAnAdministrator(transaction, found);
        note({ ...changeOf(id), change: 'removed' });
      }),

    suspend: async (input) => change(input, 'suspended', { suspended_at: ground.now() }),
    resume: async (input) => change(input, 'resumed', { suspended_at: null }),
  };
}

/** Asked after the change, inside its transaction: the failure takes the change back. */
async function keepAnAdministrator(transaction: Executor, changed: Operator): Promise<void> {
  if (changed.role !== 'administrator') return;
  const left = await transaction
    .selectFrom('operators')
    .select('id')
    .where('role', '=', 'administrator')
    .where('suspended_at', 'is', null)
    .executeTakeFirst();
  if (left) return;
  throw new Failure('in_use', `${nameOf(changed.id)} is the last administrator.`, {
    cure: 'Make somebody else an administrator first.',
  });
}

function nameOf(id: string): string {
  return principalName({ kind: 'operator', id });
}

function changeOf(id: string) {
  return { kind: 'operator', principal: nameOf(id), target: nameOf(id) } as const;
}
