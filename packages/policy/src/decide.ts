import { parseTopicFilter, parseTopicName } from '@sallyport/model';
import { applies, askable, askerOf, concerns, selectedBy } from './compiled-statement.ts';
import type { Action, Decision, Subject } from './decision.ts';
import type { Policy } from './policy.ts';
import { bucketsFor, eachCandidate } from './statement-index.ts';
import type { DecisionTrace } from './trace.ts';

const NO_STATEMENT: Decision = Object.freeze({ effect: 'deny', why: 'no_statement', statements: Object.freeze([]) });

/** A policy as it is for one subject: what stays the same from question to question is worked out once. */
export interface BoundPolicy {
  /** As {@link decide}. */
  decide(action: Action, resource: string, now: number, trace?: DecisionTrace): Decision;
}

/** Prepares a policy for many questions of one subject, such as a session. */
export function bind(policy: Policy, subject: Subject): BoundPolicy {
  const asker = askerOf(subject);
  const buckets = new Map<Action, ReturnType<typeof bucketsFor>>();
  return {
    decide(action, resource, now, trace): Decision {
      if (!askable(action, resource)) {
        trace?.refuse(malformed(action, resource));
        return NO_STATEMENT;
      }
      const permits: string[] = [];
      const denies: string[] = [];
      if (trace) {
        for (const statement of policy.statements) {
          if (!applies(statement, asker, action, resource, now, trace)) continue;
          (statement.effect === 'permit' ? permits : denies).push(statement.id);
        }
      } else {
        let found = buckets.get(action);
        if (!found) {
          found = bucketsFor(policy.index, action, asker.keys);
          buckets.set(action, found);
        }
        eachCandidate(found, action, resource, ({ statement, pattern }) => {
          const ids = statement.effect === 'permit' ? permits : denies;
          if (ids.includes(statement.id) || selectedBy(pattern, asker, action, resource) === undefined) return;
          if (concerns(statement, asker, action, now)) ids.push(statement.id);
        });
      }
      if (denies.length > 0) return { effect: 'deny', why: 'denied_by_statement', statements: denies.sort() };
      if (permits.length > 0) return { effect: 'permit', why: 'permitted', statements: permits.sort() };
      return NO_STATEMENT;
    },
  };
}

/**
 * The one decision function: whether the subject may do this to the resource at this time (milliseconds since the epoch).
 *
 * Total and pure. Nothing is permitted unless a statement permits it; a deny overrides every permit; the order of the
 * statements does not matter. `subscribe` is permitted if one statement's resource covers the whole filter, and denied if
 * a deny covers it; where a deny covers a part, `receive` withholds those messages one by one. The trace, if there is one,
 * hears of every statement; it does not change the answer.
 */
export function decide(
  policy: Policy,
  subject: Subject,
  action: Action,
  resource: string,
  now: number,
  trace?: DecisionTrace,
): Decision {
  return bind(policy, subject).decide(action, resource, now, trace);
}

function malformed(action: Action, resource: string): string {
  const answer = action === 'subscribe' ? parseTopicFilter(resource) : parseTopicName(resource);
  return answer.ok ? 'no statement permits it' : answer.problem;
}
