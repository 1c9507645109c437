import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkConformance, idsIn } from '../check-conformance.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-conformance-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

async function problems(five: string, testText: string): Promise<string[]> {
  const folder = join(root, 'tests', 'conformance');
  mkdirSync(folder, { recursive: true });
  const areas = `{ connect: 'tests/conformance/connect.test.ts' }`;
  const source = `export const AREAS = ${areas} as const;\nexport const BELOW_5 = [];\nexport const FIVE = [${five}];\n`;
  writeFileSync(join(folder, 'statements.ts'), source);
  writeFileSync(join(folder, 'connect.test.ts'), testText);
  return (await checkConformance(root)).problems;
}

test('a statement whose id is in the name of a test is content', async () => {
  const text = "it('[5 MQTT-3.1.0-1, MQTT-3.1.0-2] is nothing', () => {});";
  expect(await problems("['3.1.0-1', 'connect', 'a'], ['3.1.0-2', 'connect', 'b']", text)).toEqual([]);
});

test('a statement without a test, and one whose id only a comment carries, is a problem', async () => {
  expect(await problems("['3.1.0-1', 'connect', 'a']", '// [5 MQTT-3.1.0-1]')).toEqual([
    expect.stringContaining('5 MQTT-3.1.0-1 has no test'),
  ]);
});

test('an id of the other version does not count, and one that is not listed is a problem', async () => {
  expect(await problems("['3.1.0-1', 'connect', 'a']", "it('[3.1.1 MQTT-3.1.0-1] x', () => {});")).toEqual([
    expect.stringContaining('has no test'),
    expect.stringContaining('does not list'),
  ]);
});

test('the name of a test is read without its ids', () => {
  expect(idsIn("  it('[3.1.1 MQTT-3.1.0-1] [5 MQTT-3.1.0-1] is CONNECT', x)").get('5 MQTT-3.1.0-1')).toBe('is CONNECT');
});
