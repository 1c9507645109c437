import type { Principal } from '@sallyport/model';

/** What a policy can be asked about. `subscribe` asks for a whole filter, `receive` for each message that it selects. */
export const ACTIONS = ['connect', 'publish', 'subscribe', 'receive', 'manage'] as const;
export type Action = (typeof ACTIONS)[number];

export const TRANSPORTS = ['tcp', 'tls', 'ws', 'wss'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** How far the owner of a session has proven to be present: a `pending` session still owes its one-time code. */
export const ASSURANCES = ['full', 'pending'] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** Who asks, and in which circumstances. Everything in it was established by authentication, nothing by the asker. */
export interface Subject {
  readonly principal: Principal;
  readonly clientId: string;
  readonly roles: readonly string[];
  /** Remote IPv4 or IPv6 address; absent where it is not known. */
  readonly address?: string;
  readonly transport: Transport;
  readonly secure: boolean;
  readonly assurance: Assurance;
  readonly credentialKind: string;
}

/** The answer of a policy. `statements` are the ids of those that decided, sorted; none, if no statement applied. */
export interface Decision {
  readonly effect: 'permit' | 'deny';
  readonly why: 'permitted' | 'denied_by_statement' | 'no_statement';
  readonly statements: readonly string[];
}
