import type { Page, Refusal, RefusalReason, RefusedAction } from '@sallyport/model';
import type { Database } from '../storage/database.ts';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';

/** Which refusals are wanted; all that is given must hold. */
export interface RefusalFilter extends PageRequest {
  readonly organisation?: string;
  readonly principal?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly reason?: RefusalReason;
  readonly action?: RefusedAction;
  /** Milliseconds since the epoch, of the last time it was met. */
  readonly since?: number;
  /** Milliseconds since the epoch, of the first time it was met. */
  readonly until?: number;
}

/** Writes refusals, or what has become of their counts. */
export async function saveRefusals({ transaction }: Database, refusals: readonly Refusal[]): Promise<void> {
  await transaction(async (t) => {
    for (const refusal of refusals) {
      const row = {
        at: Date.parse(refusal.at),
        last_at: Date.parse(refusal.lastAt),
        count: refusal.count,
        action: refusal.action,
        reason: refusal.reason,
        organisation: refusal.organisation ?? null,
        principal: refusal.principal ?? null,
        client_id: refusal.clientId ?? null,
        address: refusal.address ?? null,
        document: JSON.stringify(refusal),
      };
      await t
        .insertInto('refusals')
        .values({ ticket: refusal.ticket, ...row })
        .onConflict((conflict) => conflict.column('ticket').doUpdateSet(row))
        .execute();
    }
  });
}

export async function readRefusal({ query }: Database, ticket: string): Promise<Refusal | undefined> {
  const row = await query.selectFrom('refusals').select('document').where('ticket', '=', ticket).executeTakeFirst();
  return row && (JSON.parse(row.document) as Refusal);
}

/** Newest first. */
export async function listRefusals({ query }: Database, filter: RefusalFilter): Promise<Page<Refusal>> {
  const limit = pageLimit(filter.limit);
  let select = query
    .selectFrom('refusals')
    .select(['at', 'ticket', 'document'])
    .orderBy('at', 'desc')
    .orderBy('ticket', 'desc')
    .limit(limit + 1);
  const equal = { ...filter, client_id: filter.clientId };
  for (const column of ['organisation', 'principal', 'client_id', 'address', 'reason', 'action'] as const) {
    const wanted = equal[column];
    if (wanted !== undefined) select = select.where(column, '=', wanted);
  }
  if (filter.since !== undefined) select = select.where('last_at', '>=', filter.since);
  if (filter.until !== undefined) select = select.where('at', '<', filter.until);
  const [at = '', ticket = ''] = filter.after?.split('-') ?? [];
  if (/^[0-9]{1,15}$/.test(at)) {
    const time = Number(at);
    select = select.where((e) => e.or([e('at', '<', time), e.and([e('at', '=', time), e('ticket', '<', ticket)])]));
  }
  return pageOf(
    await select.execute(),
    limit,
    (row) => JSON.parse(row.document) as Refusal,
    (row) => `${row.at}-${row.ticket}`,
  );
}

/** Removes what is older than `before` and what there is beyond the newest `most`. */
export async function pruneRefusals({ query }: Database, before: number, most: number): Promise<void> {
  const beyond = await query
    .selectFrom('refusals')
    .select('at')
    .orderBy('at', 'desc')
    .orderBy('ticket', 'desc')
    .limit(1)
    .offset(most)
    .executeTakeFirst();
  const until = Math.max(before - 1, beyond === undefined ? 0 : Number(beyond.at));
  await query.deleteFrom('refusals').where('at', '<=', until).execute();
}
