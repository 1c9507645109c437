import type { IncidentDocument, Page } from '@sallyport/model';
import type { Database } from '../storage/database.ts';
import { pageLimit, pageOf } from '../storage/page.ts';

/** Incidents that are kept; resolved ones go first, the oldest before others. */
const KEPT = 10_000;

/** Incidents on disk. Not part of the audit trail: what becomes of them is told by event. */
export function incidentRecords({ query, transaction }: Pick<Database, 'query' | 'transaction'>) {
  const read = ({ document }: { readonly document: string }) => JSON.parse(document) as IncidentDocument;
  return {
    async load(): Promise<IncidentDocument[]> {
      return (await query.selectFrom('incidents').selectAll().where('state', '!=', 'resolved').execute()).map(read);
    },

    async get(id: string): Promise<IncidentDocument | undefined> {
      const row = await query.selectFrom('incidents').selectAll().where('id', '=', id).executeTakeFirst();
      return row && read(row);
    },

    async save(incidents: readonly IncidentDocument[]): Promise<void> {
      // In one transaction: an attack feeds many at once, and each transaction of its own would wait for the disk.
      await transaction(async (work) => {
        for (const incident of incidents) {
          const { id, organisation, state } = incident;
          const row = { organisation: organisation ?? null, state, document: JSON.stringify(incident) };
          await work
            .insertInto('incidents')
            .values({ id, opened_at: Date.parse(incident.openedAt), ...row })
            .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
            .execute();
        }
        const { count } = await work
          .selectFrom('incidents')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        if (Number(count) <= KEPT) return;
        const oldest = work
          .selectFrom('incidents')
          .select('id')
          .where('state', '=', 'resolved')
          .orderBy('opened_at')
          .limit(Number(count) - KEPT);
        await work.deleteFrom('incidents').where('id', 'in', oldest).execute();
      });
    },

    async list(filter: {
      readonly organisation?: string;
      readonly state?: string;
      readonly limit: number;
      readonly after?: string;
    }): Promise<Page<IncidentDocument>> {
      const limit = pageLimit(filter.limit);
      let select = query
        .selectFrom('incidents')
        .selectAll()
        .orderBy('opened_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (filter.organisation !== undefined) select = select.where('organisation', '=', filter.organisation);
      if (filter.state !== undefined) select = select.where('state', '=', filter.state);
      if (filter.after !== undefined) {
        const [time = '', id = ''] = filter.after.split(' ');
        select = select.where((e) =>
          e.or([e('opened_at', '<', Number(time)), e.and([e('opened_at', '=', Number(time)), e('id', '<', id)])]),
        );
      }
      return pageOf(await select.execute(), limit, read, (row) => `${row.opened_at} ${row.id}`);
    },
  };
}
