import type { Kysely } from 'kysely';

/** Keys of applications and devices, and what the messages of a device type must be. */
export async function identities({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('identities')
    .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('key_id', 'varchar(22)', (column) => column.notNull().unique())
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('algorithm', 'text', (column) => column.notNull())
    .addColumn('signing_key', 'blob', (column) => column.notNull())
    .addColumn('sealing_key', 'blob')
    .addColumn('not_before', 'bigint', (column) => column.notNull())
    .addColumn('not_after', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint')
    .addColumn('revoked_by', 'text')
    .execute();
  await schema.createIndex('identities_principal').on('identities').columns(['principal', 'sequence']).execute();
  await schema.alterTable('device_types').addColumn('commands', 'text').execute();
  await schema.alterTable('device_types').addColumn('encryption', 'text').execute();
}
