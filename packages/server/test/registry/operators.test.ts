import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operatorIdOfToken, operatorToken } from '../../src/registry/operator-token.ts';
import { codeOf, openedRegistry } from './opened-registry.ts';

describe('operators', () => {
  it('are made with a token that names them', async () => {
    const { registry } = await openedRegistry();
    const { token, record } = await registry.operators.create({ id: 'ann', role: 'administrator', by: 'system' });
    expect(operatorIdOfToken(token)).toBe('ann');
    expect(record.role).toBe('administrator');
    const found = await registry.lookup.byPrincipal('operator:ann');
    expect(found).toMatchObject({ roles: ['administrator'], principal: { kind: 'operator', id: 'ann' } });
  });

  it('always include an administrator who is not suspended', async () => {
    const { registry } = await openedRegistry();
    await registry.operators.create({ id: 'ann', role: 'administrator', by: 'system' });
    await registry.operators.create({ id: 'ben', role: 'operator', by: 'system' });
    const ann = { id: 'ann', by: 'operator:ann' };
    expect(await codeOf(registry.operators.remove(ann))).toBe('in_use');
    expect(await codeOf(registry.operators.suspend(ann))).toBe('in_use');
    expect(await codeOf(registry.operators.update({ ...ann, role: 'reader' }))).toBe('in_use');
    expect((await registry.operators.get('ann')).role).toBe('administrator');
    expect(await registry.credentials.list('operator:ann')).toHaveLength(1);

    await registry.operators.update({ id: 'ben', role: 'administrator', by: 'operator:ann' });
    await registry.operators.suspend(ann);
    await registry.operators.remove(ann);
    expect((await registry.operators.list()).items.map((item) => item.id)).toEqual(['ben']);
  });

  it('choose no token and have no password', async () => {
    const { registry } = await openedRegistry();
    await registry.operators.create({ id: 'ann', role: 'administrator', by: 'system' });
    const owner = { principal: 'operator:ann', by: 'system' };
    expect(await codeOf(registry.credentials.createToken({ ...owner, token: 'k7Rw!zQ2m*Lv' }))).toBe('invalid_request');
    expect(
      await codeOf(registry.credentials.createPassword({ ...owner, username: 'ann', password: 'k7Rw!zQ2m*Lv' })),
    ).toBe('invalid_request');
    const { token } = await registry.credentials.createToken(owner);
    expect(operatorIdOfToken(token)).toBe('ann');
  });
});

describe('operatorIdOfToken', () => {
  it('finds the id in every token that is made', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_.-]{1,36}$/);
    fc.assert(fc.property(id, (text) => operatorIdOfToken(operatorToken(text, randomBytes)) === text));
  });

  it('answers undefined for anything else', () => {
    fc.assert(fc.property(fc.string({ maxLength: 90 }), (text) => operatorIdOfToken(text) === undefined));
    expect(operatorIdOfToken(`op-ann-${'a'.repeat(33)}`)).toBeUndefined();
    expect(operatorIdOfToken(`op-ann-${'u'.repeat(32)}`)).toBeUndefined();
    expect(operatorIdOfToken(`op-${'a'.repeat(200_000)}`)).toBeUndefined();
  });
});
