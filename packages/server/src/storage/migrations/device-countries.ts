import type { Kysely } from 'kysely';

/** In which countries devices have been. */
export async function deviceCountries({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('device_countries')
    .addColumn('principal', 'varchar(160)', (column) => column.primaryKey())
    .addColumn('countries', 'text', (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .execute();
}
