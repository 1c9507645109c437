import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkThreats } from '../check-threats.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-threats-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function repository(rows: string[], tests: string[]): string[] {
  const files = {
    'docs/design/threat-model.md': `# Threats\n\n| id | threat | test |\n|---|---|---|\n${rows.join('\n')}\n`,
  };
  for (const [path, content] of [...Object.entries(files), ...tests.map((path) => [path, ''] as const)]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return checkThreats(root).problems;
}

test('a row with a test of its id, or that names a test, is content', () => {
  expect(
    repository(
      ['| T-01 | takeover | own |', '| T-02 | wildcards | `packages/model/test/topic.test.ts` |'],
      ['tests/attacks/T-01-takeover.test.ts', 'packages/model/test/topic.test.ts'],
    ),
  ).toEqual([]);
});

test('a row without a test is a problem', () => {
  expect(repository(['| T-01 | takeover | |'], ['tests/attacks/T-011-other.test.ts'])).toContainEqual(
    expect.stringContaining('T-01 has no test'),
  );
});

test('a row that names a test that is gone is a problem', () => {
  expect(repository(['| T-02 | wildcards | packages/model/test/topic.test.ts |'], [])).toEqual([
    expect.stringContaining('does not exist'),
  ]);
});

test('an attack that is in no row, and a row that stands there twice, are problems', () => {
  const problems = repository(
    ['| T-01 | a |', '| T-01 | b |'],
    ['tests/attacks/T-01-a.test.ts', 'tests/attacks/T-09-b.test.ts'],
  );
  expect(problems).toEqual([expect.stringContaining('T-01 stands there twice'), expect.stringContaining('T-09')]);
});

test('a document without rows is a problem', () => {
  expect(repository([], [])).toEqual([expect.stringContaining('no row')]);
});

test('a missing document is a problem', () => {
  expect(checkThreats(root).problems).toEqual([expect.stringContaining('does not exist')]);
});
