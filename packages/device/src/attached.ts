/** A device that a gateway speaks for, or the gateway itself. */
export interface Attached {
  readonly type: string;
  readonly id: string;
}
