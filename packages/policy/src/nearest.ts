import { presentTopic } from '@sallyport/model';
import { askerOf, concerns } from './compiled-statement.ts';
import { bind } from './decide.ts';
import type { Action, Subject } from './decision.ts';
import type { Policy } from './policy.ts';
import { fillIn, resourceKindOf } from './resource-pattern.ts';
import { editDistance } from './suggestion.ts';

/** Levels and candidates beyond these are not compared, so that a long question costs no more than a short one. */
const MOST_LEVELS = 24;
const MOST_CANDIDATES = 500;

/**
 * The resource that the subject may use and that is most like the one it asked for, with its own values in place; for a
 * device under the short name that it uses itself. Nothing, if it may do nothing of the kind. For cures, not for decisions.
 */
export function nearestPermitted(
  policy: Policy,
  subject: Subject,
  action: Action,
  resource: string,
  now: number,
): string | undefined {
  const asker = askerOf(subject);
  const bound = bind(policy, subject);
  const asked = resource.split('/', MOST_LEVELS);
  let nearest: string | undefined;
  let least: Likeness | undefined;
  let candidates = 0;
  for (const statement of policy.statements) {
    if (statement.effect !== 'permit' || !concerns(statement, asker, action, now)) continue;
    for (const pattern of statement.resources) {
      const filled = fillIn(pattern, subject);
      if (filled === undefined || candidates++ >= MOST_CANDIDATES) continue;
      const likeness =
        resourceKindOf(action) === 'client'
          ? likenessOfIds(filled, resource)
          : likenessOfLevels(filled.split('/'), asked);
      if (least && !nearer(likeness, least)) continue;
      // A resource that a deny takes away again would be no help.
      if (action === 'subscribe' && bound.decide(action, filled, now).effect === 'deny') continue;
      [nearest, least] = [filled, likeness];
    }
  }
  if (nearest === undefined) return undefined;
  const { principal } = subject;
  const topical = resourceKindOf(action) === 'topic' && (principal.kind === 'device' || principal.kind === 'gateway');
  return topical ? presentTopic(principal, nearest) : nearest;
}

/** Compared from left to right: more levels in common at the front, then fewer changes. */
type Likeness = readonly [common: number, changes: number];

function nearer(one: Likeness, other: Likeness): boolean {
  return one[0] !== other[0] ? one[0] > other[0] : one[1] < other[1];
}

function likenessOfIds(pattern: string, asked: string): Likeness {
  return [0, editDistance(pattern, asked)];
}

function likenessOfLevels(pattern: readonly string[], asked: readonly string[]): Likeness {
  let common = 0;
  while (common < pattern.length && common < asked.length && alike(pattern[common]!, asked[common]!)) common++;
  // With nothing in common there is no "near": the first statement tells best what the subject is here for.
  return common === 0 ? [0, 0] : [common, changes(pattern.slice(common), asked.slice(common))];
}

function alike(pattern: string, asked: string): boolean {
  return pattern === asked || (pattern === '+' && asked !== '#') || (asked === '+' && pattern !== '#');
}

/** Equal words are nearer than a wildcard that would take any word. */
const WILDCARD_COST = 0.1;

/** Edit distance over levels, where replacing a level costs as much as it differs. */
function changes(pattern: readonly string[], asked: readonly string[]): number {
  if (asked[0] === '#' || pattern[0] === '#') return 0;
  let row = Array.from({ length: asked.length + 1 }, (_, index) => index);
  for (let i = 1; i <= pattern.length; i++) {
    const next = [i];
    for (let j = 1; j <= asked.length; j++) {
      const replaced = row[j - 1]! + difference(pattern[i - 1]!, asked[j - 1]!);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[asked.length]!;
}

function difference(pattern: string, asked: string): number {
  if (pattern === asked) return 0;
  if (alike(pattern, asked) || pattern === '#' || asked === '#') return WILDCARD_COST;
  return editDistance(pattern, asked) / Math.max(pattern.length, asked.length, 1);
}
