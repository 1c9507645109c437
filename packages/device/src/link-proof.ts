/** What CONNECT carries of a proof. */
export interface ConnectProof {
  readonly username?: string;
  readonly password?: string;
  /** Authentication method of MQTT 5 and the data that opens its exchange. */
  readonly method?: string;
  readonly data?: Uint8Array;
}

/** How a client proves itself, anew for each connection. */
export interface LinkProof {
  /**
   * What the next CONNECT carries.
   *
   * @throws Failure `token_refused` if asking again is of no use; `token_unavailable` if it may be later
   */
  begin(signal: AbortSignal): Promise<ConnectProof>;
  /**
   * The answer to a challenge of the server.
   *
   * @throws Failure `server_not_proven` if it is none that is answered
   */
  answer?(challenge: Uint8Array): Promise<Uint8Array>;
  /** What is wrong with a server that says yes with this data; nothing if it may be believed. */
  judge?(conclusion: Uint8Array | undefined): string | undefined;
  /** The server has refused: true if another attempt would show another proof. */
  refused?(): boolean;
  /** Milliseconds until the proof is to be renewed, from now; undefined if it does not end, or nobody knows when. */
  dueIn?(): number | undefined;
  /** A new proof ahead of the end of the present one. Fails as `begin` does. */
  renew?(signal: AbortSignal): Promise<ConnectProof>;
}

/** User name and password as they are, or nothing where the certificate proves the client alone. */
export function fixedProof(proof: Pick<ConnectProof, 'username' | 'password'>): LinkProof {
  const { username, password } = proof;
  const carried = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  return { begin: async () => carried };
}
