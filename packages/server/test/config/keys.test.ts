import { expect, it } from 'vitest';
import { describeConfiguration, describeSections } from '../../src/config/keys.ts';
import { loadConfiguration } from '../../src/config/load.ts';

/** Members of lists are nowhere before somebody writes them. */
const ROWS = describeConfiguration().filter(({ key }) => !key.includes('[]'));

it('describes every key of the configuration and no other', () => {
  const leaves = (value: object, path: string): string[] =>
    Object.entries(value).flatMap(([key, part]) =>
      typeof part === 'object' && !Array.isArray(part) ? leaves(part, `${path}${key}.`) : [`${path}${key}`],
    );
  expect(ROWS.map((row) => row.key)).toEqual(leaves(loadConfiguration(), ''));
});

it('gives each key a type, a default and a meaning of one sentence', () => {
  for (const row of describeConfiguration()) {
    expect(row.type, row.key).not.toBe('');
    expect(row.default, row.key).not.toBe('');
    expect(row.meaning, row.key).toMatch(/^[A-Z].*\.$/);
  }
});

it('describes the sections', () => {
  expect(describeSections().map((row) => row.key)).toContain('listeners.mqttTls');
});

it('has defaults within their own bounds', () => {
  const overrides = Object.fromEntries(
    ROWS.filter(
      (row) => !row.type.startsWith('list of ') && !/mqttPlain|revocationHttp|listeners.enrolment/.test(row.key),
    ).map((row) => [row.key, row.default === 'nothing' ? '' : row.default]),
  );
  expect(loadConfiguration({ overrides })).toEqual(loadConfiguration());
});
