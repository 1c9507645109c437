import type { Refusal } from '@sallyport/model';
import { type NewRefusal, RefusalBook } from '../audit/refusal-book.ts';

export interface ToldRefusalsOptions {
  readonly now: () => number;
  readonly random: (size: number) => Uint8Array;
  /** Part of the bounds of the server that is this process's. */
  readonly share: number;
  readonly tell: (refusals: readonly Refusal[], untraced: number) => void;
}

const AT_ONCE = 500;
const KEPT = 5_000;

/** Gives refusals their tickets at once, within this process's part of the bounds, and tells the office of them within the turn. */
export function toldRefusals({ now, random, share, tell }: ToldRefusalsOptions): (refusal: NewRefusal) => Refusal {
  const book = new RefusalBook(now, random, KEPT, share);
  let scheduled = false;
  let untraced = 0;
  const flush = (): void => {
    scheduled = false;
    for (;;) {
      const { refusals } = book.takeUnsaved(AT_ONCE);
      const more = book.counts.untraced - untraced;
      if (refusals.length === 0 && more === 0) return;
      untraced = book.counts.untraced;
      tell(refusals, more);
    }
  };
  return (refusal) => {
    if (!scheduled) {
      scheduled = true;
      setImmediate(flush);
    }
    return book.add(refusal);
  };
}
