import type { RefusalReason } from '@sallyport/model';
import type { LimitName } from './limits.ts';

/** An admitted client that has to go nevertheless. */
export interface NotOpened {
  readonly reason: RefusalReason;
  readonly text: string;
  /** The bound that was met. */
  readonly limit?: {
    readonly name: LimitName;
    readonly what: string;
    readonly found: number;
    readonly most: number;
  };
}

/** Seconds worth of connections that may come at once. */
export const TURN_BURST = 10;

/** The bound that one more would break. */
export function metLimit(reason: RefusalReason, name: LimitName, what: string, found: number, most: number): NotOpened {
  return { reason, text: `More ${what} than are allowed.`, limit: { name, what, found, most } };
}
