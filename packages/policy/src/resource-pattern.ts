// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { filterCovers, type Parsed, parsed, parseTopicFilter, topicMatches, unparsed } from '@sallyport/model';
import type { Action, Subject } from './decision.ts';
import { parseTemplate, type Template, variableValue } from './template.ts';

/** What a resource is compared as: a topic filter, a client id, or a filter over routes. */
export type ResourceKind = 'topic' | 'client' | 'route';

export interface ResourcePattern {
  readonly kind: ResourceKind;
  readonly text: string;
  /** Absent if there is nothing to fill in. */
  readonly template?: Template;
  readonly effect: 'permit' | 'deny';
}

/** First levels under which devices have their own places; a name that somebody chose may not become one of them. */
const RESERVED = ['iot-2', 'iotdevice-1', 'iotdm-1'];
const MOST_LEVELS = 128;

export function resourceKindOf(action: Action): ResourceKind {
  if (action === 'connect') return 'client';
  return action === 'manage' ? 'route' : 'topic';
}

/** Reads a resource of a statement. */
export function parseResourcePattern(
  text: string,
  kind: ResourceKind,
  effect: 'permit' | 'deny',
): Parsed<ResourcePattern> {
  const template = parseTemplate(text);
  if (!template.ok) return template;
  const { texts, variables } = template.value;
  if (kind === 'client') {
    const star = text.indexOf('*');
    if (star >= 0 && star !== text.length - 1)
      return unparsed('"*" may only be the last character of a client id', star);
    if (variables.includes('client.id')) {
      return unparsed(
        'every client id is its own ${client.id}; name it by the principal, or write "*" if any will do',
        text.indexOf('${client.id}'),
      );
    }
  } else {
    // A variable stands for text within a level, so any ordinary text shows whether the filter is well-formed.
    const filter = parseTopicFilter(texts.join('x'));
    if (!filter.ok) return unparsed(filter.problem, positionInSource(texts, variables, filter.position));
    if (text.split('/').length > MOST_LEVELS) return unparsed(`a resource has at most ${MOST_LEVELS} levels`);
  }
  return parsed({ kind, text, effect, ...(variables.length > 0 ? { template: template.value } : {}) });
}

/**
 * The pattern with the subject's values in place, or nothing if it does not concern this subject.
 *
 * A value can never widen: one that holds a slash or a wildcard, is empty, or would begin a `$…` or a device's topic, makes
 * a permit inapplicable. A deny errs on the other side: it takes everything from that level on.
 */
export function fillIn(pattern: ResourcePattern, subject: Subject): string | undefined {
  if (!pattern.template) return pattern.text;
  const { texts, variables } = pattern.template;
  let filled = texts[0]!;
  for (const [index, variable] of variables.entries()) {
    const value = variableValue(variable, subject);
    if (value === undefined) return undefined;
    if (unsafe(value, pattern.kind)) return pattern.effect === 'deny' ? openFrom(filled, pattern.kind) : undefined;
    filled += value + texts[index + 1]!;
  }
  const firstLevelIsFilled = !texts[0]!.includes('/');
  if (firstLevelIsFilled && pattern.effect === 'permit' && pattern.kind === 'topic') {
    const first = firstLevel(filled);
    if (first.startsWith('$') || RESERVED.includes(first)) return undefined;
  }
  return filled;
}

/** Whether a filled-in pattern of this effect selects what is asked for; for `subscribe`, all that is asked for. */
export function patternSelects(filled: string, effect: 'permit' | 'deny', action: Action, asked: string): boolean {
  switch (action) {
    case 'connect':
      return filled.endsWith('*') ? asked.startsWith(filled.slice(0, -1)) : asked === filled;
    case 'subscribe':
      return filterCovers(filled, comparable(filled, effect, asked));
    default:
      return topicMatches(filled, comparable(filled, effect, asked));
  }
}

/** A wildcard permits no `$…` topic, but a deny of everything means everything. */
function comparable(filled: string, effect: 'permit' | 'deny', asked: string): string {
  const hidden = effect === 'deny' && asked.startsWith('$') && (filled.startsWith('+') || filled.startsWith('#'));
  return hidden ? `x${asked}` : asked;
}

function unsafe(value: string, kind: ResourceKind): boolean {
  return value === '' || (kind === 'client' ? value.includes('*') : /[/+#\0]/.test(value));
}

function openFrom(filled: string, kind: ResourceKind): string {
  return kind === 'client' ? `${filled}*` : `${filled.slice(0, filled.lastIndexOf('/') + 1)}#`;
}

function firstLevel(topic: string): string {
  const slash = topic.indexOf('/');
  return slash < 0 ? topic : topic.slice(0, slash);
}

/** Where a position in the texts joined by one character each lies in the source with its variables. */
function positionInSource(texts: readonly string[], variables: readonly string[], position: number): number {
  let joined = 0;
  let source = 0;
  for (const [index, text] of texts.entries()) {
    if (position < joined + text.length || index === variables.length) return source + Math.max(0, position - joined);
    joined += text.length + 1;
    source += text.length + variables[index]!.length + 3;
  }
  return source;
}
