import { type Principal, principalName, type RefusalReason, type TraceStep } from '@sallyport/model';
import { judgeNobody, judgeToken } from './judge-token.ts';
import type { Find, TokenMatcher } from './known-principal.ts';
import { whenReady } from './when-ready.ts';

export type OperatorVerdict =
  | {
      readonly outcome: 'accepted';
      readonly operator: string;
      readonly roles: readonly string[];
      readonly credential: string;
    }
  | { readonly outcome: 'rejected'; readonly reason: RefusalReason; readonly step: TraceStep; readonly cure?: string };

export interface OperatorTokenOptions {
  readonly findPrincipal: Find;
  readonly tokens: TokenMatcher;
  /** The operator whom a token names in its clear part; undefined if the text has not the form of an operator token. */
  readonly operatorIdOf: (token: string) => string | undefined;
  readonly now: () => number;
}

/** Judges the bearer token of an API request. */
export function operatorAuthenticator({ findPrincipal, tokens, operatorIdOf, now }: OperatorTokenOptions) {
  return (token: string): OperatorVerdict | Promise<OperatorVerdict> => {
    const bytes = Buffer.from(token, 'utf8');
    const id = operatorIdOf(token);
    if (id === undefined) {
      judgeNobody(bytes, tokens);
      return refused('unknown_identity', 'The bearer token has not the form of an operator token.');
    }
    const principal: Principal = { kind: 'operator', id };
    return whenReady(findPrincipal(principalName(principal)), (known): OperatorVerdict => {
      if (!known) {
        judgeNobody(bytes, tokens);
        return refused('unknown_identity', `No operator "${id}" is registered.`);
      }
      const verdict = judgeToken(known, bytes, tokens, now());
      if (verdict.outcome === 'accepted') {
        return {
          outcome: 'accepted',
          operator: principalName(principal),
          roles: known.roles,
          credential: verdict.grounds.credential,
        };
      }
      if (verdict.outcome === 'rejected') return verdict;
      return refused('missing_credential', 'The bearer token was not judged.');
    });
  };
}

function refused(reason: RefusalReason, text: string): OperatorVerdict {
  return { outcome: 'rejected', reason, step: { stage: 'authentication', outcome: 'failed', text } };
}
