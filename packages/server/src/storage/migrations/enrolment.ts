import type { Kysely } from 'kysely';

/** What devices enrol with, and who waits for an operator's yes. */
export async function enrolmentTables(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('enrolment_codes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('code_hash', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('used_at', 'bigint')
    .execute();
  await schema.createIndex('enrolment_codes_principal').on('enrolment_codes').column('principal').execute();

  await schema
    .createTable('claims')
    .addColumn('certificate', 'text', (column) => column.primaryKey())
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
    .addColumn('type', 'varchar(36)', (column) => column.notNull())
    .addColumn('maximum', 'integer', (column) => column.notNull())
    .addColumn('used', 'integer', (column) => column.notNull())
    .execute();

  await schema
    .createTable('pending_devices')
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
    .addColumn('type', 'varchar(36)', (column) => column.notNull())
    .addColumn('id', 'varchar(36)', (column) => column.notNull())
    .addColumn('authority', 'varchar(64)', (column) => column.notNull())
    .addColumn('fingerprint', 'varchar(64)', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('first_at', 'bigint', (column) => column.notNull())
    .addColumn('last_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('pending_devices_key', ['organisation', 'type', 'id'])
    .execute();

  await schema
    .alterTable('authorities')
    .addColumn('registration', 'text', (column) => column.notNull().defaultTo('off'))
    .execute();
}
