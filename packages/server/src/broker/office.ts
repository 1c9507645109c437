import type { ClaimAnswer, ClaimRequest } from './claim-request.ts';
import type { StoredSession } from './session-store.ts';

/** The office's book, as a worker writes in it. */
export interface Office {
  /** Undefined if the office is gone. */
  claim(request: ClaimRequest): Promise<ClaimAnswer | undefined>;
  /** True if it is written. */
  settle(id: number, opened: boolean, will?: StoredSession): Promise<boolean>;
  /** The client of a kept session has gone. */
  away(organisation: string, clientId: string): void;
  /** A session has ended. */
  gone(organisation: string, clientId: string): void;
  /** A session of an absent client was taken from the store. */
  keep(organisation: string, clientId: string, principal: string): void;
}
