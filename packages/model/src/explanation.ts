import type { TraceStep } from './refusal.ts';

/** A question to the one decision function: may this principal do this? */
export interface Question {
  /** Written form of the principal, for example `device:demo/pump/pump-7`. */
  readonly as: string;
  readonly action: 'connect' | 'publish' | 'subscribe' | 'receive';
  /** Topic name, topic filter or client id. For a device also its own short topic. */
  readonly resource: string;
  /** Client id of the imagined session; the principal's own if absent. */
  readonly clientId?: string;
  readonly transport?: 'tcp' | 'tls' | 'ws' | 'wss';
  /** What the token or directory of the imagined session grants: `publish:FILTER`, `subscribe:FILTER`; absent: it has no grants. */
  readonly grants?: readonly string[];
  /** Address of the imagined peer; conditions on addresses do not hold without one. */
  readonly address?: string;
}

/** What `decide` answered to a {@link Question}, and why. */
export interface Explanation {
  readonly question: Question;
  readonly effect: 'permit' | 'deny';
  /** The full topic that the resource stands for in the organisation. */
  readonly resolved: string;
  /** Ids of the deciding statements. */
  readonly statements: readonly string[];
  readonly steps: readonly TraceStep[];
  /** What to do to be permitted; absent if it is. */
  readonly cure?: string;
}
