import type { Action, Assurance, Transport } from './decision.ts';

/** Restrictions of a statement; all that are named must hold. */
export interface StatementConditions {
  /** Addresses or CIDR blocks, IPv4 or IPv6; one of them must contain the remote address. */
  readonly address?: readonly string[];
  readonly transport?: readonly Transport[];
  /** Whether the connection is protected by TLS. */
  readonly secure?: boolean;
  readonly assurance?: Assurance;
  /** Kinds of the credential that proved the principal, such as `token`. */
  readonly credential?: readonly string[];
  readonly time?: {
    /** `HH:MM`, UTC, inclusive. A `from` later than `to` spans midnight. */
    readonly from?: string;
    /** `HH:MM`, UTC, exclusive. */
    readonly to?: string;
    /** ISO 8601 with zone, inclusive. */
    readonly after?: string;
    /** ISO 8601 with zone, exclusive. */
    readonly before?: string;
  };
}

/** One permission or prohibition. It applies if principal, role, action, every condition and a resource fit. */
export interface PolicyStatement {
  /** Unique in the policy; decisions and explanations name it. */
  readonly id: string;
  readonly description?: string;
  readonly effect: 'permit' | 'deny';
  /** `device:demo/pump/pump-7`, `device:demo/pump/*`, `device:demo/*`, `device:*`, `*`, and so for gateway, application and operator. */
  readonly principals: readonly string[];
  /** One of these roles is needed; without the key every role will do. */
  readonly roles?: readonly string[];
  readonly actions: readonly Action[];
  /** Topic filters (publish, subscribe, receive), client ids (connect; a final `*` is open) or route filters (manage). */
  readonly resources: readonly string[];
  readonly when?: StatementConditions;
}

/** Statements that are kept together. Those of an organisation concern only the principals of that organisation. */
export interface PolicyDocument {
  readonly organisation?: string;
  readonly statements: readonly PolicyStatement[];
}

/** Something that is wrong with a document, and where. Line and column count from 1 and are known where it was read from text. */
export interface PolicyProblem {
  /** Such as `statements[2].resources[0]`; empty for the document itself. */
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
  readonly problem: string;
  readonly cure: string;
}
