import { Failure } from '@sallyport/model';

export interface CircuitBreakerOptions {
  /** What is asked, for the message. */
  readonly what: string;
  /** Failures in a row after which it is not asked for a while. */
  readonly failures: number;
  /** Milliseconds for which it is not asked then. */
  readonly pause: number;
  readonly now: () => number;
}

export type CircuitBreaker = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * Leaves alone for a while what has failed several times in a row: those who wait are answered at once, and what is ill is not
 * pressed further. After the pause one call tries; the others are answered at once until it has succeeded. Rejects with
 * `directory_unavailable`.
 */
export function circuitBreaker({ what, failures, pause, now }: CircuitBreakerOptions): CircuitBreaker {
  let failed = 0;
  let closedUntil = 0;
  let trying = false;

  return async (call) => {
    const resting = failed >= failures;
    if (resting && (trying || now() < closedUntil)) {
      throw new Failure(
        'directory_unavailable',
        `${what} has failed ${failed} times in a row and is not asked at the moment.`,
      );
    }
    if (resting) trying = true;
    try {
      const answer = await call();
      failed = 0;
      return answer;
    } catch (cause) {
      failed += 1;
      closedUntil = now() + pause;
      if (cause instanceof Failure) throw cause;
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new Failure('directory_unavailable', `${what} did not answer: ${problem}`, { cause });
    } finally {
      if (resting) trying = false;
    }
  };
}
