// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { filterCovers, parseTopicFilter, parseTopicName, principalName, topicMatches } from '@sallyport/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../src/compile.ts';
import { bind, decide } from '../src/decide.ts';
import { ACTIONS, type Action, type Decision, type Subject } from '../src/decision.ts';
import type { PolicyDocument, PolicyStatement } from '../src/document.ts';
import type { Policy } from '../src/policy.ts';
import { DecisionTrace } from '../src/trace.ts';

const level = fc.constantFrom('', 'a', 'b', '$a', 'iot-2');
const openLevel = fc.oneof({ weight: 3, arbitrary: level }, { weight: 2, arbitrary: fc.constant('+') });
const joined = (levels: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(levels, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const names = joined(level).filter((text) => parseTopicName(text).ok);
const filters = fc
  .tuple(fc.array(openLevel, { maxLength: 3 }), fc.boolean())
  .map(([parts, hash]) => [...parts, ...(hash ? ['#'] : [])].join('/'))
  .filter((text) => parseTopicFilter(text).ok);
const variable = fc.constantFrom('${client.id}', 'x${principal.type}', '${principal.id}', '${principal.organisation}y');
const templates = fc
  .tuple(fc.array(fc.oneof(openLevel, variable), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([parts, hash]) => [...parts, ...(hash ? ['#'] : [])].join('/'))
  .filter((text) => parseTopicFilter(text).ok);
const topicResources = fc.oneof({ weight: 3, arbitrary: filters }, { weight: 1, arbitrary: templates });
const clientResources = fc.constantFrom(
  '*',
  'a*',
  'ab',
  'b',
  'd:${principal.organisation}:*',
  'x-${principal.id}',
  'd:demo:a:b',
);
const clientIds = fc.constantFrom('', 'a', 'ab', 'b', 'a/b', '+', '$a', 'iot-2', 'x-a', 'd:demo:a:b');
const resources = fc.oneof(names, filters, clientIds, fc.constantFrom('a+/b', '#/a', '\u0000'));
const organisations = fc.constantFrom('demo', 'other');
const ids = fc.constantFrom('a', 'b', 'iot-2');

const subjects: fc.Arbitrary<Subject> = fc.record(
  {
    principal: fc.oneof(
      fc.record({
        kind: fc.constantFrom('device' as const, 'gateway' as const),
        organisation: organisations,
        type: ids,
        id: ids,
      }),
      fc.record({ kind: fc.constant('application' as const), organisation: organisations, id: ids }),
      fc.record({ kind: fc.constant('operator' as const), id: ids }),
    ),
    clientId: clientIds,
    roles: fc.subarray(['r1', 'r2']),
    address: fc.constantFrom('10.0.0.1', '::ffff:10.1.2.3', '192.168.1.1', 'fd00::1', 'nonsense'),
    transport: fc.constantFrom('tcp' as const, 'tls' as const, 'ws' as const, 'wss' as const),
    secure: fc.boolean(),
    assurance: fc.constantFrom('full' as const, 'full' as const, 'pending' as const),
    credentialKind: fc.constantFrom('token', 'password'),
  },
  { requiredKeys: ['principal', 'clientId', 'roles', 'transport', 'secure', 'assurance', 'credentialKind'] },
) as fc.Arbitrary<Subject>;

const principals = fc.constantFrom(
  '*',
  'device:*',
  'gateway:*',
  'application:*',
  'device:demo/*',
  'device:demo/a/*',
  'device:demo/a/b',
  'application:demo/a',
  'gateway:demo/a/a',
);
const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 3 });
const when = fc.record(
  {
    address: some(fc.constantFrom('10.0.0.0/8', '192.168.1.1', 'fd00::/8')),
    transport: some(fc.constantFrom('tls' as const, 'ws' as const)),
    secure: fc.boolean(),
    assurance: fc.constantFrom('full' as const, 'pending' as const),
    credential: fc.constant(['token']),
    time: fc.constantFrom(
      { from: '06:00', to: '18:00' },
      { from: '22:00', to: '06:00' },
      { after: '2030-01-01T00:00:00Z' },
      { before: '2030-01-01T00:00:00Z', from: '12:00' },
    ),
  },
  { requiredKeys: [] },
);
type Draft = Omit<PolicyStatement, 'id'>;
const drafts: fc.Arbitrary<Draft> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(
        fc.subarray(['publish', 'subscribe', 'receive'] as Action[], { minLength: 1 }),
        some(topicResources),
      ),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant(['connect'] as Action[]), some(clientResources)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant(['manage'] as Action[]), some(filters)) },
  )
  .chain(([actions, statementResources]) =>
    fc
      .record(
        {
          effect: fc.constantFrom('permit' as const, 'permit' as const, 'deny' as const),
          principals: some(principals),
          roles: fc.subarray(['r1', 'r2'], { minLength: 1 }),
          when: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: when }),
        },
        { requiredKeys: ['effect', 'principals'] },
      )
      .map((rest) => ({ ...rest, actions, resources: statementResources }) as Draft),
  );
const documents: fc.Arbitrary<PolicyDocument> = fc
  .array(drafts, { maxLength: 40 })
  .map((list) => ({ statements: list.map((draft, index) => ({ id: `s${index}`, ...draft })) }));
const times = fc.constantFrom(
  Date.UTC(2029, 5, 1, 12),
  Date.UTC(2030, 5, 1, 23),
  Date.UTC(2030, 5, 1, 6),
  Date.UTC(2030, 5, 1, 18),
);
const questions = fc.record({
  subject: subjects,
  action: fc.constantFrom(...ACTIONS),
  resource: resources,
  now: times,
});

function compiled(document: PolicyDocument): Policy {
  const answer = compilePolicy([document]);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  return answer.policy;
}

/** The rules read once more, statement by statement, with nothing prepared and nothing indexed. */
function naive(document: PolicyDocument, subject: Subject, action: Action, asked: string, now: number): Decision {
  const wellFormed =
    action === 'connect' || (action === 'subscribe' ? parseTopicFilter(asked).ok : parseTopicName(asked).ok);
  const applying = document.statements.filter(
    (statement) => wellFormed && fits(statement, subject, action, asked, now),
  );
  const deny = applying.filter(({ effect }) => effect === 'deny').map(({ id }) => id);
  const permit = applying.filter(({ effect }) => effect === 'permit').map(({ id }) => id);
  if (deny.length > 0) return { effect: 'deny', why: 'denied_by_statement', statements: deny.sort() };
  if (permit.length > 0) return { effect: 'permit', why: 'permitted', statements: permit.sort() };
  return { effect: 'deny', why: 'no_statement', statements: [] };
}

function fits(statement: PolicyStatement, subject: Subject, action: Action, asked: string, now: number): boolean {
  const name = principalName(subject.principal);
  const { when: conditions = {} } = statement;
  const permit = statement.effect === 'permit';
  const minute = (now / 60_000) % 1440;
  const clock = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const { from, to, after, before } = conditions.time ?? {};
  const start = from === undefined ? 0 : clock(from);
  const end = to === undefined ? 1440 : clock(to);
  const inDay = start < end ? minute >= start && minute < end : minute >= start || minute < end;
  const inBlock = {
    '10.0.0.0/8': ['10.0.0.1', '::ffff:10.1.2.3'],
    '192.168.1.1': ['192.168.1.1'],
    'fd00::/8': ['fd00::1'],
  };
  const unknownAddress = subject.address === undefined || subject.address === 'nonsense';
  const checks = [
    statement.principals.some((p) => p === name || p === '*' || (p.endsWith('*') && name.startsWith(p.slice(0, -1)))),
    statement.actions.includes(action),
    !statement.roles || statement.roles.some((role) => subject.roles.includes(role)),
    subject.assurance === 'pending'
      ? permit
        ? conditions.assurance === 'pending'
        : conditions.assurance !== 'full'
      : conditions.assurance !== 'pending',
    conditions.secure === undefined || conditions.secure === subject.secure,
    !conditions.transport || conditions.transport.includes(subject.transport),
    !conditions.credential || conditions.credential.includes(subject.credentialKind),
    !conditions.address ||
      (unknownAddress
        ? !permit
        : conditions.address.some((block) => inBlock[block as keyof typeof inBlock].includes(subject.address!))),
    inDay && (!after || now >= Date.parse(after)) && (!before || now < Date.parse(before)),
  ];
  return (
    checks.every(Boolean) && statement.resources.some((resource) => selects(resource, permit, subject, action, asked))
  );
}

function selects(resource: string, permit: boolean, subject: Subject, action: Action, asked: string): boolean {
  const { principal } = subject;
  const values: Record<string, string | undefined> = {
    '${client.id}': subject.clientId,
    '${principal.id}': principal.id,
    '${principal.organisation}': principal.kind === 'operator' ? undefined : principal.organisation,
    '${principal.type}': 'type' in principal ? principal.type : undefined,
  };
  const filledLevels: string[] = [];
  for (const part of resource.split('/')) {
    const found = /\$\{[a-z.]+\}/.exec(part)?.[0];
    if (found === undefined) {
      filledLevels.push(part);
      continue;
    }
    const value = values[found];
    if (value === undefined) return false;
    const unsafe = value === '' || (action === 'connect' ? /\*/ : /[/+#]/).test(value);
    if (unsafe && permit) return false;
    if (unsafe) {
      filledLevels.push('#');
      break;
    }
    const filled = part.replace(found, value);
    const first = filledLevels.length === 0 && action !== 'connect';
    if (permit && first && (filled.startsWith('$') || filled === 'iot-2')) return false;
    filledLevels.push(filled);
  }
  const filled = filledLevels.join('/');
  if (action === 'connect') return filled.endsWith('*') ? asked.startsWith(filled.slice(0, -1)) : filled === asked;
  const compare = action === 'subscribe' ? filterCovers : topicMatches;
  if (compare(filled, asked)) return true;
  return !permit && asked.startsWith('$') && /^[+#]/.test(filled) && compare(filled, asked.replace('$', '_'));
}

describe('decide', () => {
  it('equals a naive reading of the statements, with a trace and without', () => {
    fc.assert(
      fc.property(documents, fc.array(questions, { minLength: 1, maxLength: 10 }), (document, asked) => {
        const policy = compiled(document);
        for (const { subject, action, resource, now } of asked) {
          const expected = naive(document, subject, action, resource, now);
          expect(decide(policy, subject, action, resource, now)).toEqual(expected);
          const trace = new DecisionTrace();
          expect(decide(policy, subject, action, resource, now, trace)).toEqual(expected);
          const applied = trace.considered.filter(
            ({ outcome, effect }) => outcome === 'applied' && effect === expected.effect,
          );
          expect(applied.map(({ id }) => id).sort()).toEqual(expected.statements);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('does not depend on the order of the statements or on how they are spread over documents', () => {
    fc.assert(
      fc.property(documents, questions, fc.nat(40), (document, { subject, action, resource, now }, cut) => {
        const reversed = [...document.statements].reverse();
        const spread = compilePolicy([{ statements: reversed.slice(0, cut) }, { statements: reversed.slice(cut) }]);
        if (!spread.ok) throw new Error('must compile');
        expect(decide(spread.policy, subject, action, resource, now)).toEqual(
          decide(compiled(document), subject, action, resource, now),
        );
      }),
    );
  });

  it('never permits more when a deny is added, and never denies more when a permit is added', () => {
    fc.assert(
      fc.property(documents, drafts, questions, (document, draft, { subject, action, resource, now }) => {
        const before = decide(compiled(document), subject, action, resource, now).effect;
        const more = compiled({ statements: [...document.statements, { id: 'added', ...draft }] });
        const after = decide(more, subject, action, resource, now).effect;
        if (before !== after) expect(after).toBe(draft.effect);
      }),
    );
  });

  it('lets a subscription select only topics that the same statements permit', () => {
    fc.assert(
      fc.property(
        documents,
        subjects,
        filters,
        fc.array(names, { maxLength: 20 }),
        times,
        (document, subject, filter, topics, now) => {
          const permits = { statements: document.statements.filter(({ effect }) => effect === 'permit') };
          if (decide(compiled(permits), subject, 'subscribe', filter, now).effect === 'deny') return;
          const selected = topics.filter((topic) => topicMatches(filter, topic));
          for (const topic of selected)
            expect(decide(compiled(permits), subject, 'subscribe', topic, now).effect).toBe('permit');
        },
      ),
    );
  });

  it('permits nothing that begins with "$" by a wildcard', () => {
    fc.assert(
      fc.property(subjects, names, (subject, name) => {
        const policy = compiled({
          statements: [
            {
              id: 'all',
              effect: 'permit',
              principals: ['*'],
              actions: ['publish', 'subscribe', 'receive'],
              resources: ['#', '+/#', '+/+', '${client.id}/#'],
            },
          ],
        });
        for (const action of ['publish', 'subscribe', 'receive'] as const) {
          expect(decide(policy, subject, action, `$${name}`, 0).effect).toBe('deny');
        }
      }),
    );
  });

  it('answers every question about anything, also nonsense', () => {
    const policy = compiled({
      statements: [
        {
          id: 'all',
          effect: 'permit',
          principals: ['*'],
          actions: ['publish'],
          resources: ['#'],
          when: { time: { from: '01:00' } },
        },
      ],
    });
    fc.assert(
      fc.property(
        subjects,
        fc.constantFrom(...ACTIONS),
        fc.string({ unit: 'binary' }),
        fc.double(),
        (subject, action, resource, now) => {
          const bound = bind(policy, { ...subject, clientId: resource, address: resource });
          expect(['permit', 'deny']).toContain(bound.decide(action, resource, now).effect);
          expect(bound.decide(action, resource, now, new DecisionTrace())).toEqual(bound.decide(action, resource, now));
        },
      ),
    );
  });
});
