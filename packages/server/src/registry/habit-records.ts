import type { Database } from '../storage/database.ts';

type Quantity = readonly [samples: number, mean: number, variance: number];

interface HabitRecord {
  readonly principal: string;
  readonly since: number;
  readonly heard: number;
  readonly rate: Quantity;
  readonly size: Quantity;
}

/** Rows of one statement. */
const PORTION = 100;

/** How often and how much devices usually send, on disk. Not part of the audit trail: what is suspicious of it becomes an incident. */
export function habitRecords({ query }: Pick<Database, 'query'>) {
  return {
    /** Who was silent longest comes first. A row that cannot be read is as none: its device is learned anew. */
    async load(): Promise<HabitRecord[]> {
      const rows = await query.selectFrom('device_habits').selectAll().orderBy('heard').execute();
      return rows.flatMap(({ principal, since, heard, ...texts }) => {
        const [rate, size] = [readQuantity(texts.rate), readQuantity(texts.size)];
        return rate && size ? [{ principal, since: Number(since), heard: Number(heard), rate, size }] : [];
      });
    },

    async save(habits: readonly HabitRecord[]): Promise<void> {
      await inPortions(habits, async (some) => {
        const rows = some.map((habit) => ({
          ...habit,
          rate: JSON.stringify(habit.rate),
          size: JSON.stringify(habit.size),
        }));
        await query
          .insertInto('device_habits')
          .values(rows)
          .onConflict((conflict) =>
            conflict.column('principal').doUpdateSet(({ ref }) => ({
              since: ref('excluded.since'),
              heard: ref('excluded.heard'),
              rate: ref('excluded.rate'),
              size: ref('excluded.size'),
            })),
          )
          .execute();
      });
    },

    async remove(principals: readonly string[]): Promise<void> {
      await inPortions(principals, async (some) => {
        await query.deleteFrom('device_habits').where('principal', 'in', some).execute();
      });
    },
  };
}

async function inPortions<T>(all: readonly T[], work: (some: readonly T[]) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += PORTION) {
    await work(all.slice(at, at + PORTION));
    // The driver answers without waiting, so that messages would have to.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function readQuantity(text: string): Quantity | undefined {
  try {
    const read: unknown = JSON.parse(text);
    if (!Array.isArray(read) || read.length !== 3 || !read.every(Number.isFinite)) return undefined;
    const [samples, mean, variance] = read as [number, number, number];
    return samples >= 0 && variance >= 0 ? [samples, mean, variance] : undefined;
  } catch {
    return undefined;
  }
}
