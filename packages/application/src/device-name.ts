/** A device of the organisation. */
export interface DeviceName {
  readonly type: string;
  readonly id: string;
  /** Said where a protected command is for a gateway itself: what is signed names its class. */
  readonly kind?: 'gateway';
}
