import type { BrokerLimits } from './limits.ts';
import type { NotOpened } from './not-opened.ts';

/** Bounds that hold over all workers. */
export type ClaimLimits = Pick<
  BrokerLimits,
  | 'connectRate'
  | 'takeoverRate'
  | 'connectDeadline'
  | 'principalSessions'
  | 'sessions'
  | 'organisationConnections'
  | 'scalableInstances'
>;

/** An admitted client that wants its session in a worker. */
export interface ClaimRequest {
  readonly organisation: string;
  /** The one that it shall have if it does not come back to another. */
  readonly clientId: string;
  /** Written form of the principal. */
  readonly principal: string;
  /** It is an instance of an application, of so many with this beginning of the client id. */
  readonly instances?: string;
  /** It may come back to any session with this beginning that an instance has left. */
  readonly left?: string;
  /** It has waited for its turn to connect. */
  readonly hasTurn: boolean;
  readonly limits: ClaimLimits;
}

/** Milliseconds to wait and ask again, a bound that was met, or the claim. */
export type ClaimAnswer =
  | { readonly wait: number }
  | { readonly refused: NotOpened }
  | {
      readonly id: number;
      readonly clientId: string;
      /** Worker that has a session of this client id. */
      readonly from?: number;
      /** Parts of the rates that the worker may use. */
      readonly shares: { readonly principal: number; readonly organisation: number };
    };
