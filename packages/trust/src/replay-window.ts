/** What was accepted from one sender: the highest number, and those below it within the window. */
export interface ReplayMemory {
  readonly highest: number;
  /** Numbers below the highest that were accepted, the largest first. */
  readonly recent: readonly number[];
}

export type ReplayVerdict =
  | { readonly outcome: 'fresh'; readonly memory: ReplayMemory }
  | { readonly outcome: 'replayed' | 'out_of_order' };

/** Accepted numbers that are remembered by name, to tell a replay from a late one and, with a tolerance, to take late ones. */
const REMEMBERED = 64;

/**
 * Judges a number that must not come twice.
 *
 * @param tolerance how many accepted numbers may have overtaken it; 0: none, numbers only grow
 */
export function judgeNumber(memory: ReplayMemory | undefined, number: number, tolerance: number): ReplayVerdict {
  if (memory === undefined) return { outcome: 'fresh', memory: { highest: number, recent: [] } };
  const { highest, recent } = memory;
  if (number > highest) {
    return { outcome: 'fresh', memory: { highest: number, recent: [highest, ...recent].slice(0, REMEMBERED) } };
  }
  if (number === highest || recent.includes(number)) return { outcome: 'replayed' };
  // Older than everything remembered: whether it came before is not known any more.
  const forgotten = recent.length === REMEMBERED && number < (recent.at(-1) ?? 0);
  const overtaken = 1 + recent.filter((each) => each > number).length;
  if (forgotten || overtaken > Math.min(tolerance, REMEMBERED)) return { outcome: 'out_of_order' };
  const kept = [...recent, number].sort((a, b) => b - a).slice(0, REMEMBERED);
  return { outcome: 'fresh', memory: { highest, recent: kept } };
}
