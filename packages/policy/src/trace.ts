import type { CompiledStatement } from './compiled-statement.ts';
import type { Unmet } from './condition.ts';
import type { Decision } from './decision.ts';

/** One statement that was weighed: whether it applied or what kept it from applying, and what was compared. */
export interface ConsideredStatement {
  readonly id: string;
  readonly effect: 'permit' | 'deny';
  readonly outcome: 'applied' | 'role' | 'condition' | 'resource';
  readonly compared: Unmet;
}

const MOST_CONSIDERED = 1000;

/** Hears from `decide` why each statement applied or not. Bounded; statements of other principals or actions are only counted. */
export class DecisionTrace {
  readonly considered: ConsideredStatement[] = [];
  /** Statements that name another principal or another action. */
  passedOver = 0;
  /** Statements that were weighed when the trace was full. */
  left = 0;
  /** Why the resource could not be asked about at all. */
  malformed: string | undefined;

  passOver(): void {
    this.passedOver++;
  }

  note(statement: CompiledStatement, outcome: ConsideredStatement['outcome'], compared: Unmet): void {
    // What decided is never left out.
    if (outcome !== 'applied' && this.considered.length >= MOST_CONSIDERED) this.left++;
    else this.considered.push({ id: statement.id, effect: statement.effect, outcome, compared });
  }

  refuse(problem: string): void {
    this.malformed = problem;
  }
}

/** Tells a trace and its decision in lines for people: first the outcome, then what decided, then what came near. */
export function explainDecision(trace: DecisionTrace, decision: Decision): string {
  const lines: string[] = [];
  const named = decision.statements.join(', ');
  if (decision.why === 'permitted') lines.push(`permit: ${named}`);
  else if (decision.why === 'denied_by_statement')
    lines.push(`deny: denied by ${named}, and a deny overrides every permit`);
  else lines.push(`deny: ${trace.malformed ?? 'no statement permits it'}`);

  const order = ['applied', 'condition', 'role', 'resource'];
  const sorted = [...trace.considered].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  for (const { id, effect, outcome, compared } of sorted) {
    const verb = outcome === 'applied' ? 'applies' : 'does not apply';
    const relation = outcome === 'applied' ? 'is covered by' : 'is not';
    lines.push(
      `  ${effect} ${id} ${verb}: ${compared.what} ${quoted(compared.found)} ${relation} ${compared.expected}`,
    );
  }
  if (trace.left > 0) lines.push(`  and ${trace.left} more that do not apply`);
  if (trace.passedOver > 0) lines.push(`  ${trace.passedOver} statements name other principals or other actions`);
  return lines.join('\n');
}

function quoted(text: string): string {
  return text === '' ? '""' : text;
}
