import { principalName } from '@sallyport/model';
import type { SecretBox } from '@sallyport/trust/secrets';
import { notFound } from './checks.ts';
import { type DeviceName, deviceIn } from './devices.ts';
import { type Ground, mutate } from './ground.ts';

/** Bytes of a secret: as many as the hash of RFC 4226 has (section 4, R6). */
const SECRET_LENGTH = 20;

/** The secrets of authenticator apps: one for a device, sealed on disk. */
export interface Authenticators {
  /** Makes a new secret and answers it this once; the one before is worth nothing any more. */
  create(name: DeviceName & { by: string }): Promise<{ readonly principal: string; readonly secret: Uint8Array }>;
  remove(name: DeviceName & { by: string }): Promise<void>;
  /** By the written form of the principal. */
  find(principal: string): Promise<{ readonly secret: Uint8Array; readonly lastStep: number } | undefined>;
  /** Marks a time step as used. False if it, or a later one, was used already: then the code is no good (RFC 6238 section 5.2). */
  use(principal: string, step: number): Promise<boolean>;
}

export function authenticators(ground: Ground, box: SecretBox): Authenticators {
  const { query } = ground.database;
  return {
    create: ({ by, ...name }) =>
      mutate(ground, by, async (transaction, note) => {
        const device = await deviceIn(transaction, name);
        const principal = principalName({ kind: device.class, ...name });
        const secret = ground.random(SECRET_LENGTH);
        await transaction.deleteFrom('authenticators').where('principal', '=', principal).execute();
        await transaction
          .insertInto('authenticators')
          .values({
            principal,
            secret: box.seal(secret, principal),
            last_step: -1,
            created_at: ground.now(),
            created_by: by,
          })
          .execute();
        const { organisation } = name;
        note({ kind: 'authenticator', change: 'created', organisation, principal, target: principal });
        return { principal, secret };
      }),

    remove: ({ by, ...name }) =>
      mutate(ground, by, async (transaction, note) => {
        const device = await deviceIn(transaction, name);
        const principal = principalName({ kind: device.class, ...name });
        const gone = await transaction
          .deleteFrom('authenticators')
          .where('principal', '=', principal)
          .executeTakeFirst();
        if (Number(gone.numDeletedRows) === 0) throw notFound(`The authenticator app of ${principal}`);
        const { organisation } = name;
        note({ kind: 'authenticator', change: 'removed', organisation, principal, target: principal });
      }),

    async find(principal) {
      const row = await query
        .selectFrom('authenticators')
        .select(['secret', 'last_step'])
        .where('principal', '=', principal)
        .executeTakeFirst();
      return row && { secret: box.open(Buffer.from(row.secret), principal), lastStep: Number(row.last_step) };
    },

    async use(principal, step) {
      const changed = await query
        .updateTable('authenticators')
        .set({ last_step: step })
        .where('principal', '=', principal)
        .where('last_step', '<', step)
        .executeTakeFirst();
      return Number(changed.numUpdatedRows) === 1;
    },
  };
}
