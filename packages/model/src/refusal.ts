import type { RefusalReason } from './reason.ts';
import type { Stage } from './stage.ts';

/** One step of the way of a request through the doors. Never holds a secret. */
export interface TraceStep {
  readonly stage: Stage;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** One sentence: what was looked at and what came of it. */
  readonly text: string;
  readonly compared?: { readonly what: string; readonly found: string; readonly expected: string };
  /** Ids of the policy statements that decided. */
  readonly statements?: readonly string[];
}

/** What was asked for; `session`: nothing single, the session as a whole was ended for what the client did in it. */
export type RefusedAction =
  | 'handshake'
  | 'connect'
  | 'session'
  | 'publish'
  | 'subscribe'
  | 'receive'
  | 'will'
  | 'manage';

/** Why something was refused: kept by the server under its ticket, shown by `sallyport explain`. */
export interface Refusal {
  /** Six characters, Crockford base 32. Equal refusals in quick succession share a ticket. */
  readonly ticket: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly lastAt: string;
  /** How often the same refusal was met under this ticket. */
  readonly count: number;
  readonly action: RefusedAction;
  readonly reason: RefusalReason;
  /** MQTT reason code told to the peer (for a 3.1.1 peer: the return code of CONNACK, or 0 where the protocol has none). */
  readonly reasonCode: number;
  readonly organisation?: string;
  /** Written form of the principal, if it was proven. */
  readonly principal?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly listener?: string;
  /** Topic name, topic filter, client id or route that was asked for. */
  readonly resource?: string;
  readonly steps: readonly TraceStep[];
  /** What to do next, addressed to the person who can do it. */
  readonly cure: string;
}
