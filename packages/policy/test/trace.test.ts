import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../src/compile.ts';
import { decide } from '../src/decide.ts';
import type { Action, Subject } from '../src/decision.ts';
import type { PolicyDocument } from '../src/document.ts';
import { DecisionTrace, explainDecision } from '../src/trace.ts';
import { NOON, PUMP } from './subjects.ts';

const DOCUMENT: PolicyDocument = {
  statements: [
    {
      id: 'office',
      effect: 'permit',
      principals: ['device:*'],
      actions: ['publish'],
      resources: ['a/#'],
      when: { address: ['10.0.0.0/8'] },
    },
    {
      id: 'trusted',
      effect: 'permit',
      principals: ['device:*'],
      actions: ['publish'],
      resources: ['#'],
      roles: ['trusted'],
    },
    { id: 'notes', effect: 'permit', principals: ['device:*'], actions: ['publish'], resources: ['notes/+'] },
    { id: 'no-secrets', effect: 'deny', principals: ['*'], actions: ['publish'], resources: ['+/secret'] },
    { id: 'desk', effect: 'permit', principals: ['application:*'], actions: ['publish'], resources: ['#'] },
  ],
};

function explain(subject: Subject, action: Action, resource: string): string[] {
  const answer = compilePolicy([DOCUMENT]);
  if (!answer.ok) throw new Error('must compile');
  const trace = new DecisionTrace();
  return explainDecision(trace, decide(answer.policy, subject, action, resource, NOON, trace)).split('\n');
}

describe('explainDecision', () => {
  it('names what permitted', () => {
    expect(explain(PUMP, 'publish', 'notes/1')).toEqual([
      'permit: notes',
      '  permit notes applies: notes/1 is covered by notes/+',
      '  permit office does not apply: it needs address 10.0.0.0/8; here it is 192.168.1.9',
      '  permit trusted does not apply: it needs the role trusted; the roles are none',
      '  1 statements speak of other principals or other actions',
    ]);
  });

  it('names the deny that overrode', () => {
    const lines = explain(PUMP, 'publish', 'notes/secret');
    expect(lines[0]).toBe('deny: no-secrets; a deny overrides every permit');
    expect(lines).toContain('  deny no-secrets applies: notes/secret is covered by +/secret');
    expect(lines).toContain('  permit notes applies: notes/secret is covered by notes/+');
  });

  it('says what the permits cover if none applied', () => {
    const lines = explain(PUMP, 'publish', 'other');
    expect(lines[0]).toBe('deny: no statement permits it');
    expect(lines).toContain('  permit notes does not apply: it covers notes/+');
  });

  it('says what is wrong with a resource that nobody can be permitted', () => {
    expect(explain(PUMP, 'publish', 'notes/+')[0]).toBe('deny: a topic name may not contain "+"');
  });

  it('is bounded, and never leaves out what decided', () => {
    const many = Array.from({ length: 3000 }, (_, index) => ({
      ...DOCUMENT.statements[2]!,
      id: `s${index}`,
      resources: [`n${index}`],
    }));
    const answer = compilePolicy([{ statements: many }]);
    if (!answer.ok) throw new Error('must compile');
    const trace = new DecisionTrace();
    decide(answer.policy, PUMP, 'publish', 'n2999', NOON, trace);
    expect(trace.considered.length).toBeLessThanOrEqual(1001);
    expect(trace.considered.at(-1)).toMatchObject({ id: 's2999', outcome: 'applied' });
    expect(trace.left).toBe(3000 - 1001);
  });
});
