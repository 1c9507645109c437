import { parseTopicFilter } from '@sallyport/model';
import type { Address } from './address.ts';
import { addressOf, type Conditions, unmetCondition } from './condition.ts';
import type { Action, Subject } from './decision.ts';
import { type PrincipalPattern, principalKeys } from './principal-pattern.ts';
import { fillIn, patternSelects, type ResourcePattern } from './resource-pattern.ts';
import type { DecisionTrace } from './trace.ts';

/** A statement that was checked and is ready to be asked. */
export interface CompiledStatement {
  readonly id: string;
  readonly effect: 'permit' | 'deny';
  readonly organisation?: string;
  readonly principals: readonly PrincipalPattern[];
  readonly roles?: readonly string[];
  readonly actions: ReadonlySet<Action>;
  readonly resources: readonly ResourcePattern[];
  readonly conditions?: Conditions;
  /** Its index in its document. */
  readonly position: number;
}

/** A subject with what is worked out once for it. */
export interface Asker {
  readonly subject: Subject;
  readonly keys: readonly string[];
  readonly address: Address | undefined;
  /** Patterns with variables, as they are for this subject. */
  readonly filled: Map<ResourcePattern, string | undefined>;
}

/** Makes the asker of a subject. */
export function askerOf(subject: Subject): Asker {
  return { subject, keys: principalKeys(subject.principal), address: addressOf(subject), filled: new Map() };
}

/**
 * Whether the text can be a resource of the action; nothing else is ever permitted. Of a name only that is looked at which
 * a filter could take for something else: doors have parsed it already.
 */
export function askable(action: Action, resource: string): boolean {
  if (action === 'connect') return true;
  if (action === 'subscribe') return parseTopicFilter(resource).ok;
  return resource !== '' && !resource.includes('+') && !resource.includes('#') && !resource.includes('\0');
}

/** Whether principal, role, action and conditions of a statement fit. The trace, if there is one, hears what did not. */
export function concerns(
  statement: CompiledStatement,
  asker: Asker,
  action: Action,
  now: number,
  trace?: DecisionTrace,
): boolean {
  const { subject } = asker;
  if (!statement.principals.some((pattern) => asker.keys.includes(pattern.key))) {
    trace?.passOver();
    return false;
  }
  if (!statement.actions.has(action)) {
    trace?.passOver();
    return false;
  }
  if (statement.roles && !statement.roles.some((role) => subject.roles.includes(role))) {
    trace?.note(statement, 'role', {
      what: 'role',
      found: subject.roles.join(', ') || 'none',
      expected: statement.roles.join(', '),
    });
    return false;
  }
  const unmet = unmetCondition(statement.conditions ?? {}, statement.effect, subject, asker.address, now);
  if (unmet) {
    trace?.note(statement, 'condition', unmet);
    return false;
  }
  return true;
}

/** Whether a statement applies: whether it concerns what is asked and one of its resources selects it. */
export function applies(
  statement: CompiledStatement,
  asker: Asker,
  action: Action,
  resource: string,
  now: number,
  trace?: DecisionTrace,
): boolean {
  if (!concerns(statement, asker, action, now, trace)) return false;
  for (const pattern of statement.resources) {
    const filled = selectedBy(pattern, asker, action, resource);
    if (filled === undefined) continue;
    trace?.note(statement, 'applied', { what: 'resource', found: resource, expected: filled });
    return true;
  }
  trace?.note(statement, 'resource', { what: 'resource', found: resource, expected: resourcesText(statement, asker) });
  return false;
}

/** The pattern as it is for the asker, if it selects what is asked. */
export function selectedBy(pattern: ResourcePattern, asker: Asker, action: Action, asked: string): string | undefined {
  const filled = pattern.template ? filledFor(pattern, asker) : pattern.text;
  return filled !== undefined && patternSelects(filled, pattern.effect, action, asked) ? filled : undefined;
}

function filledFor(pattern: ResourcePattern, { subject, filled }: Asker): string | undefined {
  let text = filled.get(pattern);
  if (text === undefined && !filled.has(pattern)) {
    text = fillIn(pattern, subject);
    filled.set(pattern, text);
  }
  return text;
}

const MOST_TOLD = 6;

function resourcesText({ resources }: CompiledStatement, { subject }: Asker): string {
  const told = resources.slice(0, MOST_TOLD).map((pattern) => fillIn(pattern, subject) ?? pattern.text);
  const left = resources.length - told.length;
  return told.join(', ') + (left > 0 ? ` and ${left} more` : '');
}
