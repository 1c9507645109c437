import type { RefusalReason } from '@sallyport/model';
import type { LimitName } from './limits.ts';

/** How a connection ends, and what its peer and the records are told. */
export interface Ending {
  /** MQTT 5 reason code of DISCONNECT; undefined: nothing is said, because the peer has gone or said so itself. */
  readonly reasonCode: number | undefined;
  /** Close code of the Watson IoT Platform (watson-iot.md section 2.6). */
  readonly closeCode: number;
  /** For `mon` messages, events and logs. Never holds a secret. */
  readonly text: string;
  /** Ticket of the refusal that ended it. */
  readonly ticket?: string;
  /** False only after a normal DISCONNECT [MQTT-3.14.4-3]: the will is discarded. */
  readonly will: boolean;
  /** The session ends with its connection, whatever its expiry interval. */
  readonly forget?: boolean;
  /** A violation of the protocol or of a limit that nobody has recorded as a refusal yet. */
  readonly violation?: {
    readonly reason: RefusalReason;
    readonly statement?: string;
    /** The bound that was met. */
    readonly limit?: LimitName;
  };
}

/** Close codes that Watson IoT clients and their operators know. */
export const CLOSE_CODES = {
  normal: 0,
  closedByClient: 91,
  closedByServer: 92,
  serverStopping: 93,
  closedByOperator: 94,
  keepAlive: 160,
  notAuthorised: 180,
  badTopic: 276,
  messageTooLarge: 287,
  clientIdReused: 288,
} as const;
