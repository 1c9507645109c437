/** What is known about a failure: something did not work, as opposed to an answer that was given. */
export interface FailureRow {
  readonly httpStatus: number;
  /** MQTT 5 reason code told to a peer that is affected. */
  readonly reasonCode: number;
  readonly severity: 'warning' | 'error' | 'fatal';
  readonly meaning: string;
  /** What the user can do. */
  readonly cure: string;
}
