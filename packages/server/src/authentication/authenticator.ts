import type { ClientId, Principal, RefusalReason, TraceStep } from '@sallyport/model';
import type { CredentialKind } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';

/** What a client has put forward. Nothing in it has been checked yet. */
export interface Evidence {
  readonly clientId: ClientId;
  readonly username?: string;
  readonly password?: Uint8Array;
  readonly transport: TransportFacts;
}

/** Grounds on which a session stands. It ends with them. */
export interface Grounds {
  readonly principal: Principal;
  readonly credential: string;
  readonly credentialKind: CredentialKind;
  readonly roles: readonly string[];
  /** Every kind of proof that was shown and accepted; absent: that of the credential alone. */
  readonly proofs?: readonly ('certificate' | 'token')[];
  /** Milliseconds since the epoch; absent if the credential does not expire. */
  readonly expiresAt?: number;
}

export type Verdict =
  | { readonly outcome: 'accepted'; readonly grounds: Grounds; readonly step: TraceStep }
  | {
      readonly outcome: 'rejected';
      readonly reason: RefusalReason;
      readonly step: TraceStep;
      /** What to do next; replaces the general cure of the reason. */
      readonly cure?: string;
    }
  | { readonly outcome: 'abstained'; readonly step: TraceStep };

/**
 * One way of proving an identity.
 *
 * Abstain only when the evidence is of another kind; a doubt is a rejection. Throw only when a dependency is
 * broken: that refuses the connection, and no later authenticator is asked. A verdict that needs no waiting is
 * returned as it is, so that a token login costs no turn of the event loop.
 */
export interface Authenticator {
  readonly name: string;
  authenticate(evidence: Evidence): Verdict | Promise<Verdict>;
}
