import type { ServerEvent } from '../events/events.ts';
import { GuessBook, type GuessCount, type GuessSettings } from './guess-book.ts';

/** What outlives the process. */
export interface GuessStore {
  load(): Promise<{
    readonly counts: readonly (GuessCount & { readonly key: string })[];
    readonly known: readonly { readonly claim: string; readonly network: string; readonly last: number }[];
  }>;
  write(changes: GuessChanges): Promise<void>;
}

export interface GuessChanges {
  /** Undefined: removed. */
  readonly counts: ReadonlyMap<string, GuessCount | undefined>;
  readonly known: readonly { readonly claim: string; readonly network: string; readonly last: number | undefined }[];
}

export interface GuessMemoryOptions {
  readonly settings: GuessSettings;
  readonly store: GuessStore;
  readonly emit: (event: ServerEvent) => void;
  /** Milliseconds between two writes; 2 s if left out. */
  readonly every?: number;
}

const WRITE_EVERY = 2_000;

/**
 * A {@link GuessBook} that is remembered across restarts. What changed is written in batches, so that guessing costs one transaction
 * in two seconds and not one each; a crash forgets the last two seconds.
 */
export async function openGuessMemory({ settings, store, emit, every = WRITE_EVERY }: GuessMemoryOptions) {
  let counts = new Map<string, GuessCount | undefined>();
  let known = new Map<string, { claim: string; network: string; last: number | undefined }>();
  const book = new GuessBook(settings, {
    count: (key, count) => void counts.set(key, count),
    known: (claim, network, last) => void known.set(`${network} ${claim}`, { claim, network, last }),
  });
  const before = await store.load();
  for (const { key, ...count } of before.counts) book.restoreCount(key, count);
  for (const { claim, network, last } of before.known) book.restoreKnown(claim, network, last);

  let writing: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    if (counts.size === 0 && known.size === 0) return writing;
    const changes: GuessChanges = { counts, known: [...known.values()] };
    counts = new Map();
    known = new Map();
    writing = writing
      .then(() => store.write(changes))
      .catch((error: unknown) => {
        // The memory goes on without the disk: blocks hold until the server stops.
        emit({ type: 'defect', where: 'memory of wrong attempts', problem: String(error) });
      });
    return writing;
  };
  const timer = setInterval(() => void flush(), every);
  timer.unref();
  return {
    book,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
