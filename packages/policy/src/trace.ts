import type { Unmet } from './condition.ts';
import type { Decision } from './decision.ts';

/** One statement that was weighed: whether it applied or what kept it from applying, and what was compared. */
export interface ConsideredStatement {
  readonly id: string;
  readonly effect: 'permit' | 'deny';
  readonly outcome: 'applied' | 'role' | 'condition' | 'resource';
  readonly compared: Unmet;
}

type Weighed = Pick<ConsideredStatement, 'id' | 'effect'>;

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

  note({ id, effect }: Weighed, outcome: ConsideredStatement['outcome'], compared: Unmet): void {
    // What decided is never left out.
    if (outcome !== 'applied' && this.considered.length >= MOST_CONSIDERED) this.left++;
    else this.considered.push({ id, effect, outcome, compared });
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
  else if (decision.why === 'denied_by_statement') lines.push(`deny: ${named}; a deny overrides every permit`);
  else lines.push(`deny: ${trace.malformed ?? 'no statement permits it'}`);

  const order = ['applied', 'condition', 'role', 'resource'];
  const told = trace.considered
    .filter(({ effect, outcome }) => outcome !== 'resource' || effect === 'permit')
    .sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  for (const statement of told) lines.push(`  ${statement.effect} ${statement.id} ${reasoning(statement)}`);
  if (trace.left > 0) lines.push(`  and ${trace.left} more that do not apply`);
  if (trace.passedOver > 0) lines.push(`  ${trace.passedOver} statements speak of other principals or other actions`);
  return lines.join('\n');
}

function reasoning({ outcome, compared }: ConsideredStatement): string {
  const found = compared.found === '' ? '""' : compared.found;
  switch (outcome) {
    case 'applied':
      return `applies: ${found} is covered by ${compared.expected}`;
    case 'role':
      return `does not apply: it needs the role ${compared.expected}; the roles are ${found}`;
    case 'condition':
      return `does not apply: it needs ${compared.what} ${compared.expected}; here it is ${found}`;
    case 'resource':
      return `does not apply: it covers ${compared.expected}`;
  }
}
