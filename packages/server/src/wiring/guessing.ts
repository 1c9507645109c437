import type { Configuration } from '../config/schema.ts';
import type { ServerEvent } from '../events/events.ts';
import { GuessGuard } from '../guessing/guess-guard.ts';
import { openGuessMemory } from '../guessing/guess-memory.ts';
import type { Installation } from '../installation.ts';
import type { RefuseAddress } from '../listeners/listener-options.ts';
import { isLoopback } from '../listeners/socket-address.ts';
import { guessRecords } from '../registry/guess-records.ts';

export interface GuessingOptions {
  readonly installation: Pick<Installation, 'database'>;
  readonly configuration: Configuration;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
}

/** Protection against guessing, remembered in the registry. */
export async function openGuessing({ installation, configuration, emit, now }: GuessingOptions) {
  const { guessing, limits } = configuration;
  const memory = await openGuessMemory({ settings: guessing, store: guessRecords(installation.database), emit });
  const guard = new GuessGuard({
    book: memory.book,
    exempt: (address) => !guessing.enabled || (!limits.boundLoopback && isLoopback(address)),
    emit,
    now,
  });
  return {
    guard,
    /** What the lists refuse, and addresses that are blocked and from where nobody is known. */
    refuseAddress:
      (lists: RefuseAddress): RefuseAddress =>
      (address) => {
        const listed = lists(address);
        if (listed) return listed;
        const detail = guard.closedTo(address);
        return detail === undefined ? undefined : { problem: 'too_many_attempts', detail };
      },
    close: () => memory.close(),
  };
}
