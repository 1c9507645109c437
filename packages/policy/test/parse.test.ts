// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPolicy } from '../src/format.ts';
import { parsePolicyDocument } from '../src/parse.ts';
import { WATSON_POLICY } from '../src/watson-policy.ts';
import { readTree } from '../src/yaml-tree.ts';

const YAML = `# what the laboratory may do
organisation: demo
statements:
  - id: lab.topics
    effect: permit
    principals: ["application:demo/lab"]
    actions: [publish, subscribe, receive]
    resources: ["#"]
`;

describe('parsePolicyDocument', () => {
  it('reads YAML and JSON alike', () => {
    const document = {
      organisation: 'demo',
      statements: [
        {
          id: 'lab.topics',
          effect: 'permit',
          principals: ['application:demo/lab'],
          actions: ['publish', 'subscribe', 'receive'],
          resources: ['#'],
        },
      ],
    };
    expect(parsePolicyDocument(YAML)).toEqual({ ok: true, document });
    expect(parsePolicyDocument(JSON.stringify(document))).toEqual({ ok: true, document });
    expect(parsePolicyDocument(JSON.stringify(document, null, '\t'))).toEqual({ ok: true, document });
  });

  it('reads ten thousand statements of JSON without building a tree of places', () => {
    const statements = Array.from({ length: 10_000 }, (_, index) => ({
      id: `plant.${index}`,
      effect: 'permit',
      principals: [`device:demo/sensor/${index}`],
      actions: ['publish'],
      resources: [`plant/${index}/#`],
    }));
    expect(parsePolicyDocument(JSON.stringify({ statements }))).toEqual({ ok: true, document: { statements } });
  });

  it('finds a key that comes twice in JSON, also under another spelling, and tells where', () => {
    for (const again of ['"statements"', '"st\\u0061tements"']) {
      const answer = parsePolicyDocument(`{"statements": [],\n ${again}: []}`);
      expect(answer).toMatchObject({ ok: false, problems: [{ line: 2, column: 2 }] });
    }
  });

  it('reads any JSON as YAML reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        const asYaml = readTree(` # not JSON any more\n${text}`);
        const asJson = readTree(text);
        // A key that comes twice is refused by both; a place is only told where there is a value.
        expect(asJson.ok).toBe(asYaml.ok);
        if (asJson.ok && asYaml.ok) expect(asJson.value).toEqual(asYaml.value);
      }),
    );
  });

  it('tells line and column of every problem, also within a resource', () => {
    const text = YAML.replace('effect', 'efect').replace('"#"', '"ab/${client.ID}"').replace('subscribe', 'listen');
    const answer = parsePolicyDocument(text);
    const places = answer.ok ? [] : answer.problems.map(({ path, line, column }) => [path, line, column]);
    expect(places).toEqual([
      ['statements[0].efect', 5, 5],
      ['statements[0].effect', 4, 5],
      ['statements[0].actions[1]', 7, 24],
      ['statements[0].resources[0]', 8, 21],
    ]);
  });

  it.each([
    ['nothing', '', /found nothing/, 1],
    ['an open list', 'statements: [', /Flow sequence/, 1],
    ['a key twice', 'statements: []\nstatements: []', /comes twice/, 2],
    ['two documents', 'statements: []\n---\nstatements: []', /more than one document/, 2],
    ['an alias', 'statements: &all []\norganisation: *all', /anchors and aliases/, 1],
    ['a tag', 'statements: !!set {}', /tags/, 1],
    ['a key that is no text', '? [a]\n: 1', /a key must be a text/, 1],
    ['deep lists', '['.repeat(100_000), /levels deep/, 1],
    ['deep mappings', '- '.repeat(100_000), /levels deep/, 1],
    ['a tab as indentation', 'statements:\n\t- id: a', /[Tt]abs/, 2],
    ['a prototype', '__proto__: {}\nstatements: []', /unknown key "__proto__"/, 1],
  ])('refuses %s and says where', (_what, text, problem, line) => {
    const answer = parsePolicyDocument(text);
    expect(answer).toMatchObject({ ok: false, problems: [{ problem: expect.stringMatching(problem), line }] });
  });

  it('refuses more than a mebibyte unread', () => {
    expect(parsePolicyDocument(' '.repeat(1_048_577))).toMatchObject({ ok: false, problems: [{ line: 1, column: 1 }] });
  });

  it('reports a bounded number of problems', () => {
    const text = Array.from({ length: 5000 }, (_, index) => `k${index}: 1`).join('\n');
    const answer = parsePolicyDocument(text);
    expect(answer.ok ? 0 : answer.problems.length).toBe(100);
  });

  it('answers every text without throwing', () => {
    const pieces = fc.constantFrom(
      'statements:',
      '\n',
      ' ',
      '- ',
      'id: a',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '#',
      '&a',
      '*a',
      '!!x',
      '|',
      '>',
      ':',
      '?',
      '%YAML',
      '---',
      '\u0000',
      '\ud800',
      'effect: permit',
      ',',
    );
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 30 }),
        (parts) => typeof parsePolicyDocument(parts.join('')).ok === 'boolean',
      ),
      { numRuns: 2000 },
    );
  });
});

describe('formatPolicy', () => {
  it('writes what parsePolicyDocument reads back', () => {
    expect(parsePolicyDocument(formatPolicy(WATSON_POLICY))).toEqual({ ok: true, document: WATSON_POLICY });
  });

  it('quotes what YAML would read otherwise', () => {
    const document = {
      statements: [
        {
          id: 'true',
          description: 'a: b # c\n"d"',
          effect: 'deny',
          principals: ['*'],
          actions: ['publish'],
          resources: ['#', '+/a', '${client.id}/#', '- x', '08:00'],
        },
      ],
    } as const;
    expect(parsePolicyDocument(formatPolicy(document))).toEqual({ ok: true, document });
  });
});
