import type { CompiledStatement } from './compiled-statement.ts';
import { nextTurn } from './condition.ts';
import type { StatementIndex } from './statement-index.ts';

/** Checked statements, ready for `decide`. Only `compilePolicy` makes one. */
export interface Policy {
  readonly statements: readonly CompiledStatement[];
  readonly index: StatementIndex;
}

/**
 * When a condition on time next begins or ceases to hold, in milliseconds since the epoch; nothing if no statement looks
 * at the clock any more. Decisions may be kept until then.
 */
export function nextTimeChange(policy: Policy, now: number): number | undefined {
  let earliest: number | undefined;
  for (const { conditions } of policy.statements) {
    const turn = conditions && nextTurn(conditions, now);
    if (turn !== undefined && (earliest === undefined || turn < earliest)) earliest = turn;
  }
  return earliest;
}
