/** Bounds of the pause between two attempts to connect, in milliseconds. */
export interface BackoffOptions {
  /** Upper bound of the first pause. */
  readonly first?: number;
  /** No pause is longer. */
  readonly longest?: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** Pauses that grow while attempts fail. */
export interface Backoff {
  /** Milliseconds to wait before the next attempt; at least 100. */
  next(): number;
  /** To be called after a lasting success: the next pause is short again. */
  reset(): void;
}

const SHORTEST = 100;

/**
 * Doubles the bound of the pause with each attempt and draws the pause uniformly below it.
 *
 * The jitter spreads a fleet that lost its server at the same moment, so that the server is not met by all of them at once.
 */
export function jitteredBackoff(options: BackoffOptions = {}): Backoff {
  const { first = 1_000, longest = 60_000, random = Math.random } = options;
  let bound = first;
  return {
    next() {
      const pause = SHORTEST + random() * Math.max(bound - SHORTEST, 0);
      bound = Math.min(bound * 2, longest);
      return Math.round(pause);
    },
    reset() {
      bound = first;
    },
  };
}
