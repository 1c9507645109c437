import type { UnlockChannel } from '@sallyport/model';

interface UnlockFacts {
  readonly organisation: string;
  /** Written form of the principal of the device or gateway. */
  readonly principal: string;
  readonly clientId: string;
  readonly address: string;
}

/** Every step of a one-time code, from the wish for one to the end of the session or its rise. No code is in any of them. */
export type UnlockEvent =
  | ({ readonly type: 'unlock.requested'; readonly channels: readonly UnlockChannel[] } & UnlockFacts)
  | ({
      /** A code was made and handed over; whoever made it for an operator is `by`. */
      readonly type: 'unlock.delivered';
      readonly channel: UnlockChannel;
      readonly by?: string;
    } & UnlockFacts)
  | ({ readonly type: 'unlock.undelivered'; readonly channel: UnlockChannel; readonly problem: string } & UnlockFacts)
  | ({
      readonly type: 'unlock.refused';
      readonly cause: 'wrong' | 'expired' | 'no-code' | 'too-many-requests' | 'too-many-failures';
      readonly attemptsLeft: number;
    } & UnlockFacts)
  | ({ readonly type: 'unlock.succeeded'; readonly means: 'code' | 'authenticator' } & UnlockFacts)
  /** Every try was used up: the session ends. */
  | ({ readonly type: 'unlock.failed'; readonly tries: number } & UnlockFacts)
  /** The device type is no longer asked for codes, so that the session need not wait for one. */
  | ({ readonly type: 'unlock.lifted' } & UnlockFacts)
  /** An incident: the code went to the very device that asked, so that it proves nothing. */
  | ({ readonly type: 'unlock.code-in-reply' } & UnlockFacts);
