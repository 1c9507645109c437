import { type Explanation, REASONS, type Refusal, type TraceStep } from '@sallyport/model';
import { printable } from './table.ts';

const MARKS: Readonly<Record<TraceStep['outcome'], string>> = { passed: '✓', failed: '✗', skipped: '·' };

/** What was refused, where the word alone does not say it. */
const ASKED: Partial<Record<Refusal['action'], string>> = {
  will: 'leave a will on',
  session: 'go on with its session',
};

/** Who was refused what, in one line. */
export function refusedWhat(refusal: Refusal): string {
  // An empty client id names nobody.
  const who = refusal.principal || refusal.clientId || refusal.address || 'somebody';
  const asked = ASKED[refusal.action] ?? refusal.action;
  const what = refusal.resource ? `${asked} ${refusal.resource}` : asked;
  return `${printable(who)} was refused to ${printable(what)}`;
}

/** A refusal for a person: what was refused to whom, the way through the doors, and the cure. */
export function refusalText(refusal: Refusal): string {
  const often = refusal.count > 1 ? `, ${refusal.count} times until ${refusal.lastAt}` : '';
  const from = refusal.address === undefined ? '' : ` from ${refusal.address}`;
  return [
    `Ticket ${refusal.ticket}: ${refusedWhat(refusal)}`,
    `  ${refusal.at}${often}${from}`,
    `  ${REASONS[refusal.reason].meaning}`,
    '',
    ...refusal.steps.flatMap(stepLines),
    '',
    `  What to do: ${printable(refusal.cure)}`,
  ].join('\n');
}

/** The answer to "may it?" for a person. */
export function explanationText(explanation: Explanation): string {
  const { question, effect, resolved, steps, cure } = explanation;
  const resource = resolved === question.resource ? resolved : `${question.resource} (that is ${resolved})`;
  return [
    `${printable(question.as)} ${effect === 'permit' ? 'may' : 'may not'} ${question.action} ${printable(resource)}`,
    '',
    ...steps.flatMap(stepLines),
    ...(cure === undefined ? [] : ['', `  What to do: ${printable(cure)}`]),
  ].join('\n');
}

function stepLines(step: TraceStep): string[] {
  const lines = [`  ${MARKS[step.outcome]} ${step.stage.padEnd(14)} ${printable(step.text)}`];
  const indent = ' '.repeat(19);
  if (step.compared) {
    const { what, found, expected } = step.compared;
    lines.push(`${indent}${printable(what)}: found ${printable(found)}, expected ${printable(expected)}`);
  }
  if (step.statements && step.statements.length > 0) {
    lines.push(`${indent}statements: ${step.statements.map(printable).join(', ')}`);
  }
  return lines;
}
