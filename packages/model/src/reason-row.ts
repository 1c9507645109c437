import type { Stage } from './stage.ts';

/** What is known about a reason for which something is refused. `docs/reference/refusals.md` is generated from it. */
export interface ReasonRow {
  readonly stage: Stage;
  /** CONNACK return code for MQTT 3.1 and 3.1.1. */
  readonly connack3: 1 | 2 | 3 | 4 | 5;
  /** Coarse MQTT 5 reason code. */
  readonly reasonCode: number;
  readonly httpStatus: number;
  /** One sentence for the operator. */
  readonly meaning: string;
  /** What to do next where nothing more exact is known. */
  readonly cure: string;
}
