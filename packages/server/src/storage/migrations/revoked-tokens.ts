import type { Kysely } from 'kysely';

/** Signed access tokens that were revoked before their end. */
export async function revokedTokens(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('revoked_tokens')
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull())
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint', (column) => column.notNull())
    .addColumn('revoked_by', 'text', (column) => column.notNull())
    .addColumn('ends_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('revoked_tokens_key', ['organisation', 'name'])
    .execute();
}
