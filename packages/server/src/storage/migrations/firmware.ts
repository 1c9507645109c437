import type { Kysely } from 'kysely';

/** Rollouts and how far each device in them is. Images and signed roles are files. */
export async function firmwareTables({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('firmware_rollouts')
    .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'varchar(36)', (column) => column.notNull().unique())
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull())
    .addColumn('type', 'varchar(36)', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('percent', 'integer', (column) => column.notNull())
    .addColumn('halt_above', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('cause', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .execute();
  await schema
    .createIndex('firmware_rollouts_type')
    .on('firmware_rollouts')
    .columns(['organisation', 'type', 'state'])
    .execute();

  await schema
    .createTable('firmware_rollout_devices')
    .addColumn('rollout', 'varchar(36)', (column) => column.notNull())
    .addColumn('device', 'varchar(36)', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('detail', 'text')
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('firmware_rollout_devices_key', ['rollout', 'device'])
    .execute();
  await schema
    .createIndex('firmware_rollout_devices_state')
    .on('firmware_rollout_devices')
    .columns(['rollout', 'state'])
    .execute();
}
