import { parsePolicyDocument, WATSON_POLICY } from '@sallyport/policy';
import { expect, test } from 'vitest';
import { policyDesk } from '../../src/http/policy-desk.ts';

const desk = policyDesk();
const statement = (id: string) =>
  `  - { id: ${id}, effect: permit, principals: ["device:*"], actions: [publish], resources: ["lab/#"] }\n`;

test('shows the built-in policy as text that reads back as the same policy', () => {
  const read = parsePolicyDocument(desk.builtin);
  expect(read.ok && read.document).toEqual(WATSON_POLICY);
});

test('finds nothing wrong with a right text', () => {
  expect(desk.check(`statements:\n${statement('lab')}`)).toEqual([]);
});

test('refuses an id that a built-in statement has, at its line: such a policy could never be put together', () => {
  const taken = WATSON_POLICY.statements[0]?.id ?? '';
  const problems = desk.check(`statements:\n${statement('lab')}${statement(taken)}`);
  expect(problems).toMatchObject([{ path: 'statements[1].id', line: 3 }]);
});

test('refuses an id that is used twice', () => {
  expect(desk.check(`statements:\n${statement('lab')}${statement('lab')}`)).toMatchObject([{ line: 3 }]);
});

test.each(['', 'statements', '[1, 2', '{"statements": 7}', 'x: &a [*a]'])('refuses the text %j', (text) => {
  expect(desk.check(text).length).toBeGreaterThan(0);
});
