import type { Database } from '../storage/database.ts';

/** In which countries devices have been, on disk. Not part of the audit trail: what is suspicious of it becomes an incident. */
export function placeRecords({ query }: Pick<Database, 'query'>) {
  return {
    async load() {
      const rows = await query.selectFrom('device_countries').selectAll().orderBy('since').execute();
      return rows.map(({ principal, countries, since }) => ({
        principal,
        countries: countries.split(','),
        since: Number(since),
      }));
    },

    async save({ principal, countries, since }: { principal: string; countries: readonly string[]; since: number }) {
      const row = { countries: countries.join(','), since };
      await query
        .insertInto('device_countries')
        .values({ principal, ...row })
        .onConflict((conflict) => conflict.column('principal').doUpdateSet(row))
        .execute();
    },

    async remove(principal: string) {
      await query.deleteFrom('device_countries').where('principal', '=', principal).execute();
    },
  };
}
