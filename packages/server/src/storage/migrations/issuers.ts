import type { Kysely } from 'kysely';

/** The authorization servers whose access tokens organisations take. */
export async function tokenIssuers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('issuers')
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
    .addColumn('id', 'varchar(36)', (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('issuers_key', ['organisation', 'id'])
    .execute();
}
