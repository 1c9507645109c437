import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { broadStatements } from '../src/broad.ts';
import { formatPolicy } from '../src/format.ts';
import { parsePolicyDocument } from '../src/parse.ts';
import { WATSON_POLICY } from '../src/watson-policy.ts';

const guide = readFileSync(new URL('../../../docs/guide/policies.md', import.meta.url), 'utf8');
const blocks = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
const whole = blocks.filter((text) => text.startsWith('organisation:'));
const conditions = blocks.filter((text) => text.trimStart().startsWith('when:'));
const quoted = blocks.filter((text) => text.includes('id: watson.'));

describe('the guide to policies', () => {
  it('shows documents that are correct as printed', () => {
    expect(whole.length).toBe(2);
    for (const text of whole) expect(parsePolicyDocument(text)).toMatchObject({ ok: true });
  });

  it('shows conditions that are correct in a statement', () => {
    expect(conditions.length).toBe(2);
    for (const text of conditions) expect(parsePolicyDocument(`${whole[0]}${text}`)).toMatchObject({ ok: true });
  });

  it('quotes the built-in policy as it is', () => {
    expect(quoted.length).toBe(1);
    for (const text of quoted) expect(formatPolicy(WATSON_POLICY)).toContain(text);
  });

  it('shows a laboratory whose every statement is announced', () => {
    const laboratory = parsePolicyDocument(whole[1]!);
    if (!laboratory.ok) throw new Error('must be read');
    expect(broadStatements(laboratory.document).map(({ id }) => id)).toEqual([
      'laboratory.client-ids',
      'laboratory.topics',
    ]);
  });
});
