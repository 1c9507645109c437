import { describe, expect, it } from 'vitest';
import { codeOf, failureOf, furnishedRegistry } from './opened-registry.ts';

describe('policies', () => {
  it('are none until one is written, and then the newest', async () => {
    const { registry, told } = await furnishedRegistry();
    expect(await registry.policies.get('demo')).toBeUndefined();
    await registry.policies.put({ organisation: 'demo', text: 'one', by: 'operator:ann' });
    await registry.policies.put({ organisation: 'demo', text: 'two', by: 'operator:ben' });
    expect(await registry.policies.get('demo')).toMatchObject({ version: 2, text: 'two', createdBy: 'operator:ben' });
    expect((await registry.policies.version('demo', 1)).text).toBe('one');
    expect(told.map((change) => [change.action, change.target])).toEqual([
      ['policy.created', 'policy:demo'],
      ['policy.updated', 'policy:demo'],
    ]);
  });

  it('stay as they are when the text is wrong, and the failure has the positions', async () => {
    const { registry, state } = await furnishedRegistry();
    await registry.policies.put({ organisation: 'demo', text: 'one', by: 'system' });
    state.problems = [
      { path: 'statements[0].effect', line: 3, column: 13, problem: '"alow" is no effect.', cure: 'Write allow.' },
    ];
    const failure = await failureOf(registry.policies.put({ organisation: 'demo', text: 'two', by: 'system' }));
    expect(failure.code).toBe('policy_invalid');
    expect(failure.message).toContain('line 3, column 13 (statements[0].effect): "alow" is no effect. Write allow.');
    expect((await registry.policies.get('demo'))?.text).toBe('one');
  });

  it('keep fifty versions', async () => {
    const { registry } = await furnishedRegistry();
    for (let i = 1; i <= 52; i++) await registry.policies.put({ organisation: 'demo', text: `t${i}`, by: 'system' });
    const versions = (await registry.policies.list('demo')).map((item) => item.version);
    expect(versions).toHaveLength(50);
    expect([versions[0], versions.at(-1)]).toEqual([52, 3]);
    expect(await codeOf(registry.policies.version('demo', 2))).toBe('not_found');
  });

  it('are bounded and belong to an organisation that exists', async () => {
    const { registry } = await furnishedRegistry();
    const large = { organisation: 'demo', text: 'x'.repeat(2 * 1024 * 1024 + 1), by: 'system' };
    expect(await codeOf(registry.policies.put(large))).toBe('invalid_request');
    expect(await codeOf(registry.policies.put({ ...large, organisation: 'none', text: '' }))).toBe('not_found');
    expect(await codeOf(registry.policies.get('none'))).toBe('not_found');
  });
});
