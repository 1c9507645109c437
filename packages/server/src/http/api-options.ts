import type { SecureContextOptions } from 'node:tls';
import type { Explanation, FieldProblem, Health, Page, Question, SessionDocument } from '@sallyport/model';
import type { Refusals } from '../audit/refusals.ts';
import type { Trail } from '../audit/trail.ts';
import type { OperatorVerdict } from '../authentication/operator-token.ts';
import type { ServerEvent } from '../events/events.ts';
import type { Registry } from '../registry/registry.ts';

/** The live sessions, as the broker knows them. */
interface SessionDesk {
  /** In the order of client ids, those after `after`. */
  list(
    organisation: string,
    page: { readonly limit: number; readonly after?: string },
  ): Page<SessionDocument> | Promise<Page<SessionDocument>>;
  /** Ends the connection and the session with it. False if there is none with this client id. */
  close(organisation: string, clientId: string, by: string): boolean | Promise<boolean>;
}

/** Built-in statements and the compiler of policy texts. */
export interface PolicyDesk {
  /** The built-in policy as text. */
  readonly builtin: string;
  /** What is wrong with a text; empty if it may be saved. Positions count from 1. */
  check(text: string): readonly FieldProblem[];
}

/** What {@link buildApi} is built from. It opens nothing and starts nothing by itself. */
export interface ApiOptions {
  readonly version: string;
  /** Key, certificate chain, versions and suites. A new pair is set on the running server with `app.server.setSecureContext`. */
  readonly tls: SecureContextOptions;
  readonly registry: Registry;
  readonly trail: Pick<Trail, 'query'>;
  readonly refusals: Pick<Refusals, 'refuse' | 'find' | 'list'>;
  readonly sessions: SessionDesk;
  readonly policy: PolicyDesk;
  readonly explain: (question: Question) => Explanation | Promise<Explanation>;
  readonly health: () => Health | Promise<Health>;
  readonly metricsText: () => string | Promise<string>;
  readonly authenticateOperator: (token: string) => OperatorVerdict | Promise<OperatorVerdict>;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
  /** Failed authentications of one address: how many at once, and after how many milliseconds one more. */
  readonly attempts?: { readonly burst: number; readonly refill: number };
}

/** What the routes need of {@link ApiOptions}. */
export type Services = Pick<
  ApiOptions,
  'registry' | 'trail' | 'refusals' | 'sessions' | 'policy' | 'explain' | 'health' | 'metricsText'
>;
