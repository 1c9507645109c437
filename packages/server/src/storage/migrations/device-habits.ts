import type { Kysely } from 'kysely';

/** How often and how much devices usually send. */
export async function deviceHabits({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('device_habits')
    .addColumn('principal', 'varchar(160)', (column) => column.primaryKey())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('heard', 'bigint', (column) => column.notNull())
    .addColumn('rate', 'text', (column) => column.notNull())
    .addColumn('size', 'text', (column) => column.notNull())
    .execute();
}
