import type { Kysely } from 'kysely';

/** What device types demand of a one-time code, whom it goes to, and the secrets of authenticator apps. */
export async function addUnlock({ schema }: Kysely<unknown>): Promise<void> {
  for (const table of ['device_types', 'devices']) {
    await schema.alterTable(table).addColumn('unlock', 'text').execute();
    await schema.alterTable(table).addColumn('owner', 'text').execute();
  }
  await schema
    .createTable('authenticators')
    .addColumn('principal', 'text', (column) => column.primaryKey())
    .addColumn('secret', 'blob', (column) => column.notNull())
    .addColumn('last_step', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .execute();
}
