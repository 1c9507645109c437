/** A device of the organisation. */
export interface DeviceName {
  readonly type: string;
  readonly id: string;
}
