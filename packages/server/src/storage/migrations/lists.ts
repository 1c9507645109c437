import type { Kysely } from 'kysely';

/** Lists of addresses, and which of them is on. The scope is an organisation, or empty for the whole server. */
export async function addressLists({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('address_lists')
    .addColumn('scope', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('active', 'text', (column) => column.notNull())
    .addColumn('unknown_country', 'text')
    .execute();
  await schema
    .createTable('address_list_entries')
    .addColumn('scope', 'varchar(36)', (column) => column.notNull())
    .addColumn('list', 'text', (column) => column.notNull())
    .addColumn('entry', 'text', (column) => column.notNull())
    .addColumn('note', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addPrimaryKeyConstraint('address_list_entries_key', ['scope', 'list', 'entry'])
    .execute();
}
