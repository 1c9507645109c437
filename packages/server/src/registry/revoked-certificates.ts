import type { Executor, Ground } from './ground.ts';

/** Certificates that this server issued and that may not count any more, also those of principals that were removed. */
export interface RevokedCertificates {
  /** Those of one issuer that have not long expired, in portions, in the order in which they were revoked. */
  portions(issuerNameHash: string): AsyncIterable<readonly { readonly serial: string; readonly revokedAt: number }[]>;
  /** When this one was revoked; undefined if it was not. Asked of the disk each time. */
  find(name: { issuerNameHash: string; serial: string }): Promise<number | undefined>;
}

/** One portion is read at once, without a turn for others. */
const PORTION = 5000;
/** A list must still name what expired since the one before it (RFC 5280 section 3.3); no list lives longer. Milliseconds. */
const KEPT_BEYOND_EXPIRY = 31 * 24 * 60 * 60_000;

export function revokedCertificates({
  database: { query },
  now,
}: Pick<Ground, 'database' | 'now'>): RevokedCertificates {
  return {
    async *portions(issuerNameHash) {
      const since = now() - KEPT_BEYOND_EXPIRY;
      for (let after = 0; ; ) {
        const rows = await query
          .selectFrom('revoked_certificates')
          .select(['sequence', 'serial', 'revoked_at'])
          .where('issuer_name_hash', '=', issuerNameHash)
          .where('sequence', '>', after)
          .where('not_after', '>', since)
          .orderBy('sequence')
          .limit(PORTION)
          .execute();
        const last = rows.at(-1);
        if (last === undefined) return;
        after = Number(last.sequence);
        yield rows.map(({ serial, revoked_at }) => ({ serial, revokedAt: Number(revoked_at) }));
        // The driver answers without waiting, so a turn of the loop has to be asked for.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },

    async find({ issuerNameHash, serial }) {
      const row = await query
        .selectFrom('revoked_certificates')
        .select('revoked_at')
        .where('issuer_name_hash', '=', issuerNameHash)
        .where('serial', '=', serial)
        .executeTakeFirst();
      return row && Number(row.revoked_at);
    },
  };
}

/** Whose certificates: of one principal, of an organisation, or the one record. */
type Match = { readonly principal: string } | { readonly organisation: string } | { readonly id: string };

/** Puts the matching certificates that were issued here, and are in force, on the list. Whatever ends them must call it. */
export async function listAsRevoked(transaction: Executor, match: Match, now: number): Promise<void> {
  const [[column, value]] = Object.entries(match) as [['principal' | 'organisation' | 'id', string]];
  await transaction
    .insertInto('revoked_certificates')
    .columns(['issuer_name_hash', 'serial', 'not_after', 'revoked_at'])
    .expression(
      transaction
        .selectFrom('certificates')
        .select((e) => [
          'issuer_name_hash',
          'serial',
          e.fn.coalesce('not_after', e.lit(0)).as('not_after'),
          e.val(now).as('revoked_at'),
        ])
        .where(column, '=', value)
        .where('kind', 'in', ['issued', 'claim'])
        .where('revoked_at', 'is', null),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
