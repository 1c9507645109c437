import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFloors } from '../check-floors.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-floors-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Writes a small repository: path below packages/ to content. Packages get their description by themselves. */
function house(files: Record<string, string>): string[] {
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, 'packages', path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    const name = path.split('/')[0] ?? '';
    const doors = {
      '.': { '@sallyport/source': './src/index.ts' },
      './secrets': { '@sallyport/source': './src/secrets.ts' },
    };
    writeFileSync(join(root, 'packages', name, 'package.json'), JSON.stringify({ name, exports: doors }));
  }
  return checkFloors(root).problems.map(({ file, line, problem }) => `${file}:${line}: ${problem}`);
}

describe('the floors of the server', () => {
  test('let an import go down', () => {
    expect(
      house({
        'server/src/server.ts': `import './http/api.ts';`,
        'server/src/http/api.ts': `import '../broker/router.ts'; import { x } from '../events/stream.ts'; x();`,
        'server/src/broker/router.ts': `import type { A } from '../audit/trail.ts'; export type B = A;`,
        'server/src/audit/trail.ts': `import { E } from '@sallyport/model'; export type A = typeof E;`,
        'server/src/events/stream.ts': `export const x = () => 1;`,
        'model/src/index.ts': `export const E = 1;`,
      }),
    ).toEqual([]);
  });

  test('stop an import that climbs, and say where and why', () => {
    const [problem, ...others] = house({
      'server/src/audit/trail.ts': `export const a = 1;\nimport type { Session } from '../broker/session.ts';\nexport type S = Session;`,
      'server/src/broker/session.ts': 'export interface Session { a: 1 }',
    });
    expect(problem).toMatch(
      /^packages\/server\/src\/audit\/trail\.ts:2: audit may not import broker: floor 1 must not climb to floor 2/,
    );
    expect(others).toEqual([]);
  });

  test('stop a climb that is hidden in a dynamic import or a type', () => {
    const problems = house({
      'server/src/audit/trail.ts': `export type S = import('../broker/session.ts').Session; export const late = () => import('../http/api.ts');`,
      'server/src/broker/session.ts': 'export interface Session { a: 1 }',
      'server/src/http/api.ts': 'export const api = 1;',
    });
    expect(problems).toHaveLength(2);
  });

  test('stop an import that goes sideways', () => {
    expect(
      house({
        'server/src/audit/trail.ts': `import { r } from '../registry/registry.ts'; r();`,
        'server/src/registry/registry.ts': 'export const r = () => 1;',
      }),
    ).toEqual([expect.stringContaining('both stand on floor 1')]);
  });

  test('know every folder', () => {
    expect(house({ 'server/src/cellar/wine.ts': 'export const wine = 1;' })).toEqual([
      expect.stringContaining('cellar/ has no floor'),
    ]);
    expect(house({ 'server/src/extra.ts': 'export const extra = 1;' })).toContainEqual(
      expect.stringContaining('stand on the roof'),
    );
  });
});

describe('the walls between packages', () => {
  test('stop an import against the package graph', () => {
    expect(
      house({
        'policy/src/decide.ts': `import { t } from '@sallyport/trust'; t();`,
        'trust/src/index.ts': 'export const t = () => 1;',
      }),
    ).toEqual(['packages/policy/src/decide.ts:1: package policy may not import package trust; it may import model']);
  });

  test('load the server from a command where it is needed, and not before', () => {
    const [problem, ...others] = house({
      'cli/src/start.ts': `import { startServer } from '@sallyport/server'; startServer();`,
      'cli/src/late.ts': `import type { Running } from '@sallyport/server'; export const late = () => import('@sallyport/server') as Promise<Running>;`,
      'server/src/index.ts': `export type Running = 1; export const startServer = () => 1;`,
    });
    expect(problem).toMatch(/^packages\/cli\/src\/start\.ts:1: package cli loads server only where it needs it/);
    expect(others).toEqual([]);
  });

  test('open only at public doors', () => {
    const problems = house({
      'server/src/authentication/token.ts': `import '@sallyport/trust/secrets'; import '@sallyport/trust/src/hash.ts'; import '../../../trust/src/hash.ts';`,
      'trust/src/secrets.ts': 'export const s = 1;',
      'trust/src/hash.ts': 'export const h = 1;',
    });
    expect(problems).toEqual([
      expect.stringContaining('is not a public door of trust'),
      expect.stringContaining('past its public door'),
    ]);
  });

  test('keep Node out of what runs in a browser, and everything out of the model', () => {
    expect(
      house({ 'policy/src/decide.ts': `import 'node:fs'; import 'yaml';`, 'model/src/topic.ts': `import 'yaml';` }),
    ).toEqual([
      expect.stringContaining('package model imports nothing'),
      expect.stringContaining('runs in a browser and may not import node:fs'),
    ]);
  });
});

describe('files', () => {
  test('do not import each other in a circle', () => {
    expect(
      house({
        'mqtt/src/one.ts': `import { b } from './two.ts'; export const a = () => b;`,
        'mqtt/src/two.ts': `import { c } from './three.ts'; export const b = () => c;`,
        'mqtt/src/three.ts': `import { a } from './one.ts'; export const c = () => a;`,
        'mqtt/src/four.ts': `import { a } from './one.ts'; a();`,
      }),
    ).toEqual([expect.stringMatching(/circle: \S+one\.ts <-> \S+three\.ts <-> \S+two\.ts/)]);
  });

  test('are no barrels, unless they are the public door', () => {
    expect(
      house({
        'mqtt/src/index.ts': `export * from './one.ts';`,
        'mqtt/src/one.ts': 'export const a = 1;',
        'mqtt/src/packets/all.ts': `export { a } from '../one.ts';`,
        'mqtt/src/packets/index.ts': `export * from '../one.ts';`,
      }),
    ).toEqual([expect.stringContaining('(a barrel)'), expect.stringContaining('public doors of a package only')]);
  });

  test('have names that say something', () => {
    const problems = house({
      'mqtt/src/utils.ts': 'export const a = 1;',
      'mqtt/src/topic-helpers.ts': 'export const a = 1;',
      'mqtt/src/handle-publish.ts': 'export const a = 1;',
      'mqtt/src/MyCodec.ts': 'export const a = 1;',
      'mqtt/test/shared.test.ts': 'export const a = 1;',
      'mqtt/src/data-directory.ts': 'export const a = 1;',
    });
    expect(problems).toHaveLength(5);
  });
});
