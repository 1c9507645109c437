// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../src/compile.ts';
import { decide } from '../src/decide.ts';
import type { Action, Subject } from '../src/decision.ts';
import type { PolicyStatement } from '../src/document.ts';
import { DESK, NOON, PUMP } from './subjects.ts';

function effect(
  statements: readonly Partial<PolicyStatement>[],
  subject: Subject,
  action: Action,
  resource: string,
): string {
  const whole = statements.map((statement, index) => ({
    id: `s${index}`,
    effect: 'permit' as const,
    principals: ['*'],
    actions: [action],
    resources: ['#'],
    ...statement,
  }));
  const answer = compilePolicy([{ statements: whole }]);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  return decide(answer.policy, subject, action, resource, NOON).effect;
}

function named(clientId: string): Subject {
  return { ...PUMP, clientId };
}

describe('a permit with a client id in it', () => {
  const own = [{ resources: ['${client.id}/#', 'x/${client.id}/y'] }];

  it('reaches the place of that client id and no other', () => {
    expect(effect(own, named('bench-1'), 'publish', 'bench-1/a')).toBe('permit');
    expect(effect(own, named('bench-1'), 'publish', 'x/bench-1/y')).toBe('permit');
    expect(effect(own, named('bench-1'), 'publish', 'bench-10/a')).toBe('deny');
  });

  it.each(['', '+', '#', 'a/b', '/', 'a+', '+/+'])('does not apply to the client id %j', (clientId) => {
    for (const topic of ['a/b', 'x/a/y', 'x/+/y', 'a', '/a', 'x//y', 'x/a/b/y', `${clientId}/z`]) {
      expect(effect(own, named(clientId), 'publish', topic), topic).toBe('deny');
      expect(effect(own, named(clientId), 'subscribe', topic), topic).toBe('deny');
    }
    expect(effect(own, named(clientId), 'subscribe', '#')).toBe('deny');
  });

  it('does not reach places that are reserved, whatever a client calls itself', () => {
    for (const [clientId, topic] of [
      ['$SYS', '$SYS/load'],
      ['$share', '$share/g/a'],
      ['iot-2', 'iot-2/type/pump/id/pump-8/cmd/stop/fmt/json'],
      ['iotdm-1', 'iotdm-1/type/pump/id/pump-8/response'],
      ['iotdevice-1', 'iotdevice-1/type/pump/id/pump-8/response'],
    ] as const) {
      expect(effect(own, named(clientId), 'publish', topic)).toBe('deny');
      expect(effect(own, named(clientId), 'subscribe', topic)).toBe('deny');
    }
    expect(effect([{ resources: ['iot-${client.id}/#'] }], named('2'), 'publish', 'iot-2/type/a/id/b/mon')).toBe(
      'deny',
    );
    expect(effect(own, named('iot-2'), 'publish', 'x/iot-2/y')).toBe('permit');
  });
});

describe('a deny with a client id in it', () => {
  const rules = [{}, { effect: 'deny' as const, resources: ['private/${client.id}/x/y'] }];

  it('takes its place', () => {
    expect(effect(rules, named('a'), 'publish', 'private/a/x/y')).toBe('deny');
    expect(effect(rules, named('a'), 'publish', 'private/b/x/y')).toBe('permit');
  });

  it('takes everything from there on if the client id could be something else', () => {
    for (const clientId of ['a/x', '+', '#', '']) {
      expect(effect(rules, named(clientId), 'publish', 'private/b')).toBe('deny');
      expect(effect(rules, named(clientId), 'publish', 'private/a/x/x/y/z')).toBe('deny');
      expect(effect(rules, named(clientId), 'publish', 'public/a')).toBe('permit');
    }
  });
});

describe('resources', () => {
  it('leave out what a principal has not', () => {
    expect(effect([{ resources: ['${principal.type}/a'] }], DESK, 'publish', '${principal.type}/a')).toBe('deny');
    expect(effect([{ resources: ['${principal.type}/a'] }], PUMP, 'publish', 'pump/a')).toBe('permit');
    expect(effect([{}, { effect: 'deny', resources: ['x/${principal.type}'] }], DESK, 'publish', 'x/pump')).toBe(
      'permit',
    );
  });

  it('with a wildcard permit nothing that begins with "$", and deny it', () => {
    const open = [{ resources: ['#', '$a/b'] }];
    expect(effect(open, PUMP, 'publish', '$SYS/load')).toBe('deny');
    expect(effect(open, PUMP, 'publish', '$a/b')).toBe('permit');
    for (const resource of ['#', '+/b', '+/#']) {
      expect(effect([...open, { effect: 'deny', resources: [resource] }], PUMP, 'publish', '$a/b')).toBe('deny');
      expect(effect([...open, { effect: 'deny', resources: [resource] }], PUMP, 'subscribe', '$a/b')).toBe('deny');
    }
  });

  it('are asked for as they are: wildcards are no topic and broken filters no filter', () => {
    for (const topic of ['a/+', '#', 'a+', '', 'a\u0000'])
      expect(effect([{}], PUMP, 'publish', topic), topic).toBe('deny');
    for (const filter of ['a+', '#/a', 'a#', '', 'a\u0000'])
      expect(effect([{}], PUMP, 'subscribe', filter), filter).toBe('deny');
  });

  it('of connect are client ids, byte by byte, open only at a final "*"', () => {
    const some = [
      { resources: ['bench-*', 'one', 'x+', 'd:${principal.organisation}:${principal.type}:${principal.id}'] },
    ];
    for (const clientId of ['bench-', 'bench-1', 'bench-/+#', 'one', 'x+', 'd:demo:pump:pump-7']) {
      expect(effect(some, PUMP, 'connect', clientId), clientId).toBe('permit');
    }
    for (const clientId of ['', 'bench', 'Bench-1', 'one ', 'xa', 'd:demo:pump:pump-70', 'bench%2D1']) {
      expect(effect(some, PUMP, 'connect', clientId), clientId).toBe('deny');
    }
    expect(effect([{ resources: ['*'] }], PUMP, 'connect', '')).toBe('permit');
  });
});
