import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../src/compile.ts';
import { decide } from '../src/decide.ts';
import type { Subject } from '../src/decision.ts';
import type { StatementConditions } from '../src/document.ts';
import { NOON, PUMP } from './subjects.ts';

/** Whether a permit with these conditions permits, and whether a deny with them, beside a permit of everything, denies. */
function applies(when: StatementConditions, subject: Subject = PUMP, now = NOON): { permit: boolean; deny: boolean } {
  const rule = { id: 'rule', principals: ['*'], actions: ['publish'] as const, resources: ['a'], when };
  const everything = (['full', 'pending'] as const).map((assurance) => ({
    ...rule,
    id: assurance,
    effect: 'permit' as const,
    when: { assurance },
  }));
  const ask = (effect: 'permit' | 'deny'): string => {
    const answer = compilePolicy([{ statements: [{ ...rule, effect }, ...(effect === 'deny' ? everything : [])] }]);
    if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
    return decide(answer.policy, subject, 'publish', 'a', now).effect;
  };
  return { permit: ask('permit') === 'permit', deny: ask('deny') === 'deny' };
}

const BOTH = { permit: true, deny: true };
const NEITHER = { permit: false, deny: false };
const ONLY_DENY = { permit: false, deny: true };

describe('conditions', () => {
  it('compare address, transport, protection and credential', () => {
    expect(applies({ address: ['10.0.0.0/8', '192.168.0.0/16'] })).toEqual(BOTH);
    expect(applies({ address: ['10.0.0.0/8'] })).toEqual(NEITHER);
    expect(applies({ transport: ['wss', 'tls'] })).toEqual(BOTH);
    expect(applies({ transport: ['tcp'] })).toEqual(NEITHER);
    expect(applies({ secure: false })).toEqual(NEITHER);
    expect(applies({ credential: ['token'] })).toEqual(BOTH);
    expect(applies({ credential: ['password'] })).toEqual(NEITHER);
  });

  it('must all hold', () => {
    expect(applies({ secure: true, transport: ['tcp'] })).toEqual(NEITHER);
    expect(applies({ secure: true, transport: ['tls'], address: ['192.168.1.9'] })).toEqual(BOTH);
  });

  it('take an address that is not known for one that opens nothing', () => {
    const { address: _, ...unknown } = PUMP;
    expect(applies({ address: ['0.0.0.0/0'] }, unknown)).toEqual(ONLY_DENY);
    expect(applies({ address: ['0.0.0.0/0'] }, { ...PUMP, address: 'somewhere' })).toEqual(ONLY_DENY);
  });

  it('give a pending session only what names it, and deny it what is denied to all', () => {
    const pending: Subject = { ...PUMP, assurance: 'pending' };
    expect(applies({}, pending)).toEqual(ONLY_DENY);
    expect(applies({ assurance: 'pending' }, pending)).toEqual(BOTH);
    expect(applies({ assurance: 'full' }, pending)).toEqual(NEITHER);
    expect(applies({ assurance: 'pending' })).toEqual(NEITHER);
  });

  it.each<[NonNullable<StatementConditions['time']>, string, boolean]>([
    [{ from: '12:00' }, '12:00:00', true],
    [{ from: '12:00' }, '11:59:59', false],
    [{ to: '12:00' }, '12:00:00', false],
    [{ to: '12:00' }, '11:59:59', true],
    [{ from: '22:00', to: '06:00' }, '23:00:00', true],
    [{ from: '22:00', to: '06:00' }, '05:59:59', true],
    [{ from: '22:00', to: '06:00' }, '06:00:00', false],
    [{ after: '2030-01-15T12:00:00Z' }, '12:00:00', true],
    [{ after: '2030-01-15T12:00:00Z' }, '11:59:59', false],
    [{ before: '2030-01-15T14:00:00+02:00' }, '12:00:00', false],
    [{ before: '2030-01-15T14:00:00+02:00' }, '11:59:59', true],
  ])('compare the time %j with %s', (time, clock, expected) => {
    expect(applies({ time }, PUMP, Date.parse(`2030-01-15T${clock}Z`))).toEqual(expected ? BOTH : NEITHER);
  });

  it('on a time that is none open nothing', () => {
    expect(applies({ time: { after: '2030-01-15T12:00:00Z' } }, PUMP, Number.NaN).permit).toBe(false);
  });
});
