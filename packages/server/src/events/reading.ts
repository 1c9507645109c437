/** What the client of one open connection has sent since it connected. */
export interface Reading {
  /** Written form of the principal. */
  readonly principal: string;
  readonly organisation: string;
  /** Number of the connection, of all that became sessions since the start. */
  readonly presence: number;
  /** PUBLISH packets. */
  readonly messages: number;
  /** Bytes of all packets. */
  readonly bytes: number;
}
