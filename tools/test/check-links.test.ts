import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLinks } from '../check-links.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-links-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function pages(files: Readonly<Record<string, string>>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkLinks(root).problems;
}

test('a link to a file, to a heading and to the web is content', () => {
  expect(
    pages({
      'README.md':
        '[a](docs/a.md) [b](docs/a.md#what-it-does-not) [c](https://example.com/none) [d](#here)\n\n## Here\n',
      'docs/a.md': '# A\n\n## What it does, `not`\n',
    }),
  ).toEqual([]);
});

test('a link to a file that is not there is a problem, and its line is named', () => {
  expect(pages({ 'docs/guide/a.md': '# A\n\nSee [b](../b.md).\n' })).toEqual([
    'docs/guide/a.md:3: ../b.md leads to no file',
  ]);
});

test('a link to a heading that is not there is a problem', () => {
  expect(pages({ 'docs/a.md': '[b](b.md#gone)\n', 'docs/b.md': '# B\n\n```sh\n# gone\n```\n' })).toEqual([
    'docs/a.md:1: there is no heading #gone in docs/b.md',
  ]);
});

test('the second of two headings of the same words has a number', () => {
  expect(pages({ 'docs/a.md': '# A\n\n## Try\n\n## Try\n\n[1](#try) [2](#try-1)\n' })).toEqual([]);
});
