/** The client's side of an exchange, as the broker gives it to the doors. */
export interface Exchange {
  readonly method: string;
  /** What CONNECT, or the AUTH that began it in a session, carried. */
  readonly data?: Uint8Array;
  /** The session that is open authenticates itself again. */
  readonly renewal: boolean;
  /** Sends a challenge and waits for the answer; undefined if the client has gone or broken the protocol. `patience` as in the method. */
  ask(data: Uint8Array, patience?: number): Promise<{ readonly data?: Uint8Array } | undefined>;
  /** What the client is told with its success. */
  conclude(data: Uint8Array): void;
}
