import type { Database } from '../storage/database.ts';

interface Count {
  readonly failures: number;
  readonly last: number;
  readonly blockedUntil: number;
  readonly blocks: number;
}

/** Wrong attempts and known addresses on disk. Not part of the audit trail: blocks are told by event. */
export function guessRecords({ query, transaction }: Pick<Database, 'query' | 'transaction'>) {
  return {
    async load() {
      const counts = await query.selectFrom('guess_counts').selectAll().orderBy('last').execute();
      const known = await query.selectFrom('known_addresses').selectAll().orderBy('last').execute();
      return {
        counts: counts.map((row) => ({
          key: row.key,
          failures: Number(row.failures),
          last: Number(row.last),
          blockedUntil: Number(row.blocked_until),
          blocks: Number(row.blocks),
        })),
        known: known.map(({ claim, network, last }) => ({ claim, network, last: Number(last) })),
      };
    },

    write: (changes: {
      readonly counts: ReadonlyMap<string, Count | undefined>;
      readonly known: readonly {
        readonly claim: string;
        readonly network: string;
        readonly last: number | undefined;
      }[];
    }): Promise<void> =>
      transaction(async (work) => {
        for (const [key, count] of changes.counts) {
          if (count === undefined) {
            await work.deleteFrom('guess_counts').where('key', '=', key).execute();
            continue;
          }
          const row = {
            failures: count.failures,
            last: count.last,
            blocked_until: count.blockedUntil,
            blocks: count.blocks,
          };
          await work
            .insertInto('guess_counts')
            .values({ key, ...row })
            .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
            .execute();
        }
        for (const { claim, network, last } of changes.known) {
          if (last === undefined) {
            await work
              .deleteFrom('known_addresses')
              .where('claim', '=', claim)
              .where('network', '=', network)
              .execute();
            continue;
          }
          await work
            .insertInto('known_addresses')
            .values({ claim, network, last })
            .onConflict((conflict) => conflict.columns(['claim', 'network']).doUpdateSet({ last }))
            .execute();
        }
      }),
  };
}
