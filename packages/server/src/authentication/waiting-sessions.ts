import type { UnlockChannel } from '@sallyport/model';
import type { Challenge } from './one-time-code.ts';
import type { ConnectionName, UnlockSession } from './unlock-session.ts';

/** A session that waits for its one-time code. Times are milliseconds since the epoch. */
export interface Waiting {
  readonly session: UnlockSession;
  readonly since: number;
  attemptsLeft: number;
  channels: readonly UnlockChannel[];
  challenge: Challenge | undefined;
  requestedAt: number | undefined;
  /** Nobody tells of the end of an exchange that was broken off: then it is over. */
  readonly until: number;
  /** A code is being looked at: a second one at the same time would be a try that is not counted. */
  checking: boolean;
}

/** A session that waits for its code, for lists. Times are milliseconds since the epoch. */
export interface PendingUnlock extends Pick<Waiting, 'since' | 'attemptsLeft' | 'channels'> {
  readonly session: UnlockSession;
  readonly requestedAt?: number;
  readonly codeExpiresAt?: number;
}

/** Milliseconds between two looks for exchanges that are over. */
const SWEEP = 1_000;

/** The sessions that wait for their one-time code. An exchange leaves by itself when its time is over. */
export class WaitingSessions {
  readonly #byConnection = new Map<string, Waiting>();
  readonly #now: () => number;
  #sweepAt = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `patience` is how many milliseconds an exchange may take; a session waits for as long as its connection holds. */
  add(session: UnlockSession, attempts: number, patience = Number.POSITIVE_INFINITY): void {
    if (patience < Number.POSITIVE_INFINITY) this.#sweep();
    this.#byConnection.set(keyOf(session), {
      session,
      since: this.#now(),
      attemptsLeft: attempts,
      channels: [],
      challenge: undefined,
      requestedAt: undefined,
      until: this.#now() + patience,
      checking: false,
    });
  }

  find(at: ConnectionName): Waiting | undefined {
    return this.#byConnection.get(keyOf(at));
  }

  /** False once the session has gone, also if another waits in its place. */
  has(entry: Waiting): boolean {
    return this.find(entry.session) === entry;
  }

  remove(at: ConnectionName): void {
    this.#byConnection.delete(keyOf(at));
  }

  /** Those of one organisation, in the order in which they came. */
  of(organisation: string): Waiting[] {
    return [...this.#byConnection.values()].filter(({ session }) => session.organisation === organisation);
  }

  /** The sessions of an organisation that wait, by client id. */
  list(organisation: string): PendingUnlock[] {
    this.#sweep();
    return this.of(organisation)
      .sort((one, other) => (one.session.clientId < other.session.clientId ? -1 : 1))
      .map(({ session, since, attemptsLeft, channels, requestedAt, challenge }) => ({
        session,
        since,
        attemptsLeft,
        channels,
        ...(requestedAt !== undefined && { requestedAt }),
        ...(challenge !== undefined && challenge.expiresAt > this.#now() && { codeExpiresAt: challenge.expiresAt }),
      }));
  }

  #sweep(): void {
    const now = this.#now();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP;
    for (const [key, { until }] of this.#byConnection) if (until <= now) this.#byConnection.delete(key);
  }
}

/** Neither numbers nor ids of organisations have spaces. */
function keyOf({ organisation, clientId, presence }: ConnectionName) {
  return `${presence} ${organisation} ${clientId}`;
}
