// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../src/compile.ts';
import { decide } from '../src/decide.ts';
import type { PolicyDocument, PolicyStatement } from '../src/document.ts';
import { parsePolicyDocument } from '../src/parse.ts';
import { nextTimeChange } from '../src/policy.ts';
import { WATSON_POLICY } from '../src/watson-policy.ts';
import { NOON, PUMP } from './subjects.ts';

const GOOD: PolicyStatement = {
  id: 'good',
  effect: 'permit',
  principals: ['device:*'],
  actions: ['publish'],
  resources: ['notes/#'],
};

function problemsOf(change: object): readonly { path: string; problem: string; cure: string }[] {
  const answer = compilePolicy([{ statements: [{ ...GOOD, ...change }] } as PolicyDocument]);
  return answer.ok ? [] : answer.problems;
}

describe('compilePolicy', () => {
  it('accepts what is right', () => {
    expect(problemsOf({})).toEqual([]);
    expect(
      problemsOf({
        roles: ['standard'],
        when: {
          address: ['10.0.0.0/8', '::1'],
          transport: ['tls'],
          secure: true,
          assurance: 'full',
          credential: ['token'],
          time: { from: '22:00', to: '06:00', after: '2030-01-01T00:00:00Z' },
        },
      }),
    ).toEqual([]);
  });

  it('denies everything without documents', () => {
    const answer = compilePolicy([]);
    expect(answer.ok && decide(answer.policy, PUMP, 'publish', 'notes/a', NOON)).toMatchObject({
      effect: 'deny',
      why: 'no_statement',
    });
  });

  it.each<[object, string, RegExp]>([
    [{ efect: 'permit' }, 'statements[0].efect', /unknown key/],
    [{ effect: 'allow' }, 'statements[0].effect', /permit, deny/],
    [{ effect: undefined }, 'statements[0].effect', /nothing/],
    [{ id: undefined }, 'statements[0].id', /needs an id/],
    [{ id: 'a b' }, 'statements[0].id', /needs an id/],
    [{ principals: 'device:*' }, 'statements[0].principals', /list of texts, found a text/],
    [{ principals: [] }, 'statements[0].principals', /empty/],
    [{ principals: ['devices:*'] }, 'statements[0].principals[0]', /no principal pattern/],
    [{ principals: ['device:demo/*/pump-7'] }, 'statements[0].principals[0]', /a type id/],
    [{ principals: ['device:demo'] }, 'statements[0].principals[0]', /no principal pattern/],
    [{ principals: ['device:demo/pump/pump-*'] }, 'statements[0].principals[0]', /a device id/],
    [{ principals: ['constructor:*'] }, 'statements[0].principals[0]', /no principal pattern/],
    [{ roles: [''] }, 'statements[0].roles[0]', /role/],
    [{ actions: ['publsh'] }, 'statements[0].actions[0]', /one of connect/],
    [{ actions: [] }, 'statements[0].actions', /empty/],
    [{ actions: ['connect', 'publish'] }, 'statements[0].resources', /different things/],
    [{ resources: [7] }, 'statements[0].resources[0]', /found a number/],
    [{ resources: ['a/#/b'] }, 'statements[0].resources[0]', /last level/],
    [{ resources: ['a/b+'] }, 'statements[0].resources[0]', /alone/],
    [{ resources: [''] }, 'statements[0].resources[0]', /empty/],
    [{ resources: ['${client.id}+/a'] }, 'statements[0].resources[0]', /alone/],
    [{ resources: ['${client.name}'] }, 'statements[0].resources[0]', /unknown variable/],
    [{ resources: ['a/${client.id'] }, 'statements[0].resources[0]', /not closed/],
    [{ actions: ['connect'], resources: ['a*b'] }, 'statements[0].resources[0]', /last character/],
    [{ actions: ['connect'], resources: ['${client.id}'] }, 'statements[0].resources[0]', /its own/],
    [{ when: [] }, 'statements[0].when', /mapping/],
    [{ when: { adress: [] } }, 'statements[0].when.adress', /unknown key/],
    [{ when: { address: ['10.0.0.1/8'] } }, 'statements[0].when.address[0]', /behind its prefix/],
    [{ when: { address: ['10.0.0.0/33'] } }, 'statements[0].when.address[0]', /prefix length/],
    [{ when: { address: ['010.0.0.1'] } }, 'statements[0].when.address[0]', /neither/],
    [{ when: { transport: ['ssl'] } }, 'statements[0].when.transport[0]', /one of tcp/],
    [{ when: { secure: 'yes' } }, 'statements[0].when.secure', /true or false/],
    [{ when: { assurance: 'some' } }, 'statements[0].when.assurance', /full, pending/],
    [{ when: { time: {} } }, 'statements[0].when.time', /empty/],
    [{ when: { time: { from: '24:00' } } }, 'statements[0].when.time.from', /time of day/],
    [{ when: { time: { from: '06:00', to: '06:00' } } }, 'statements[0].when.time', /same time/],
    [{ when: { time: { after: '2030-01-01' } } }, 'statements[0].when.time.after', /zone/],
    [{ when: { time: { after: '2030-13-01T00:00:00Z' } } }, 'statements[0].when.time.after', /zone/],
    [
      { when: { time: { after: '2031-01-01T00:00:00Z', before: '2030-01-01T00:00:00Z' } } },
      'statements[0].when.time',
      /never apply/,
    ],
    [{ description: 7 }, 'statements[0].description', /description/],
  ])('refuses %j', (change, path, problem) => {
    const problems = problemsOf(change);
    expect(problems.map((one) => one.path)).toContain(path);
    const found = problems.find((one) => one.path === path)!;
    expect(found.problem).toMatch(problem);
    expect(found.cure).not.toBe('');
  });

  it('suggests the word that was meant', () => {
    expect(problemsOf({ resorces: [] })[0]!.cure).toBe('Did you mean "resources"?');
    expect(problemsOf({ actions: ['publsh'] })[0]!.cure).toBe('Did you mean "publish"?');
  });

  it('refuses an id that comes twice where the statements can meet', () => {
    const twice = (...documents: PolicyDocument[]): readonly string[] => {
      const answer = compilePolicy(documents);
      return answer.ok ? [] : answer.problems.map(({ path }) => path);
    };
    expect(twice({ statements: [GOOD, GOOD] })).toEqual(['statements[1].id']);
    expect(twice({ statements: [GOOD] }, { organisation: 'demo', statements: [GOOD] })).toEqual([
      'documents[1].statements[0].id',
    ]);
    expect(twice({ organisation: 'demo', statements: [GOOD] }, { statements: [GOOD] })).toEqual([
      'documents[1].statements[0].id',
    ]);
    expect(twice({ organisation: 'demo', statements: [GOOD] }, { organisation: 'other', statements: [GOOD] })).toEqual(
      [],
    );
  });

  it('keeps the statements of an organisation to its own principals', () => {
    const document: PolicyDocument = {
      organisation: 'demo',
      statements: [
        { ...GOOD, principals: ['*'] },
        { ...GOOD, id: 'typed', principals: ['device:*'], resources: ['typed'] },
      ],
    };
    const answer = compilePolicy([document]);
    if (!answer.ok) throw new Error('must compile');
    const stranger = { ...PUMP, principal: { ...PUMP.principal, organisation: 'other' } } as typeof PUMP;
    for (const topic of ['notes/a', 'typed']) {
      expect(decide(answer.policy, PUMP, 'publish', topic, NOON).effect).toBe('permit');
      expect(decide(answer.policy, stranger, 'publish', topic, NOON).effect).toBe('deny');
    }
    const outside = compilePolicy([
      { organisation: 'demo', statements: [{ ...GOOD, principals: ['device:other/*', 'operator:*'] }] },
    ]);
    expect(outside.ok ? [] : outside.problems.map(({ problem }) => problem)).toEqual([
      'the document belongs to "demo" and cannot speak of "other"',
      'operators belong to no organisation',
    ]);
  });

  it('survives values of every kind', () => {
    for (const value of [
      null,
      7,
      'text',
      [],
      {},
      { statements: null },
      { statements: [null, 7, []] },
      { organisation: 7, statements: [] },
      { organisation: 'a-b', statements: [] },
    ]) {
      expect(compilePolicy([value as unknown as PolicyDocument]).ok).toBe(false);
    }
  });

  it('tells when a condition on time next turns', () => {
    const at = (time: object, now: number): number | undefined => {
      const answer = compilePolicy([WATSON_POLICY, { statements: [{ ...GOOD, when: { time } } as PolicyStatement] }]);
      return answer.ok ? nextTimeChange(answer.policy, now) : undefined;
    };
    expect(at({ from: '08:00', to: '18:00' }, NOON)).toBe(Date.UTC(2030, 0, 15, 18));
    expect(at({ from: '08:00' }, NOON)).toBe(Date.UTC(2030, 0, 16));
    expect(at({ before: '2029-01-01T00:00:00Z' }, NOON)).toBeUndefined();
    expect(at({ after: '2030-02-01T00:00:00+01:00' }, NOON)).toBe(Date.UTC(2030, 0, 31, 23));
  });

  it('tells the place of a problem in the text that a document was read from', () => {
    const text =
      'statements:\n  - id: watson.device.connect\n    effect: permit\n    principals: ["*"]\n    actions: [publish]\n    resources: [a]\n';
    const read = parsePolicyDocument(text);
    if (!read.ok) throw new Error('must be read');
    const answer = compilePolicy([WATSON_POLICY, read.document]);
    expect(answer).toMatchObject({
      ok: false,
      problems: [{ path: 'documents[1].statements[0].id', line: 2, column: 9 }],
    });
  });
});
