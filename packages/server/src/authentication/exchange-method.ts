import type { Evidence, Grounds, Verdict } from './authenticator.ts';

/** What comes of a step of an exchange: a challenge to the client, or the end of it. */
export type ExchangeStep =
  | {
      readonly outcome: 'continue';
      /** For the client. */
      readonly data: Uint8Array;
      /** Goes on with the answer of the client. Called at most once. */
      next(data: Uint8Array | undefined): ExchangeStep | Promise<ExchangeStep>;
    }
  | (Extract<Verdict, { outcome: 'accepted' }> & {
      /** For the client, with its CONNACK, or with AUTH in a session. */
      readonly data?: Uint8Array;
    })
  | Extract<Verdict, { outcome: 'rejected' }>;

/**
 * One way of proving something in a conversation: an authentication method (MQTT 5 section 4.12).
 *
 * A method of the kind `proof` stands in place of user name and password. One of the kind `presence` is asked of a client that has
 * proven by them who it is, whose grounds it gets; it is not offered for authentication within a session. Throw only when a dependency
 * is broken. What a method keeps of an exchange is in its steps, so that one that is broken off leaves nothing behind.
 */
export interface ExchangeMethod {
  /** As CONNECT and AUTH name it, compared byte by byte. */
  readonly name: string;
  readonly kind: 'proof' | 'presence';
  /** Milliseconds that one exchange may take; the server's time for connecting if left out. */
  readonly patience?: number;
  begin(evidence: Evidence, data: Uint8Array | undefined, grounds?: Grounds): ExchangeStep | Promise<ExchangeStep>;
}
