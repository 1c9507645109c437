import type { Kysely } from 'kysely';

/** Bounds that a device type has of its own, as JSON. */
export async function typeLimits({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('device_types').addColumn('limits', 'text').execute();
}
