/** One connection of a device that has to prove that a person is present. */
export interface UnlockSession {
  readonly organisation: string;
  readonly clientId: string;
  /** Number of the connection; of an exchange before it, a number below 0. */
  readonly presence: number;
  /** Written form of the principal. */
  readonly principal: string;
  readonly address: string;
}

/** What tells one connection from all others. */
export type ConnectionName = Pick<UnlockSession, 'organisation' | 'clientId' | 'presence'>;

/** What events say of a session. */
export function factsOf({ organisation, principal, clientId, address }: UnlockSession) {
  return { organisation, principal, clientId, address };
}
