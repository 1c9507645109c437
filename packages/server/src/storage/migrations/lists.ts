import type { Kysely } from 'kysely';

/** Wrong attempts, and the addresses from which principals are known. */
export async function guessing({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('guess_counts')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('last', 'bigint', (column) => column.notNull())
    .addColumn('blocked_until', 'bigint', (column) => column.notNull())
    .addColumn('blocks', 'integer', (column) => column.notNull())
    .execute();
  await schema
    .createTable('known_addresses')
    .addColumn('claim', 'text', (column) => column.notNull())
    .addColumn('network', 'text', (column) => column.notNull())
    .addColumn('last', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('known_addresses_key', ['claim', 'network'])
    .execute();
}

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
