import type { Kysely } from 'kysely';

/** Suspicions and what was done about them, each as one document. */
export async function incidents({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('incidents')
    .addColumn('id', 'varchar(16)', (column) => column.primaryKey())
    .addColumn('organisation', 'varchar(36)')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('opened_at', 'bigint', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .execute();
  await schema.createIndex('incidents_opened').on('incidents').columns(['opened_at', 'id']).execute();
}
