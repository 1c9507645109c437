import { describe, expect, it } from 'vitest';
import { codeOf, failureOf, furnishedRegistry, openedRegistry } from './opened-registry.ts';

describe('organisations', () => {
  it('come with the level TLS with token and their id as name', async () => {
    const { registry, state } = await openedRegistry();
    const made = await registry.organisations.create({ id: 'demo', by: 'system' });
    expect(made).toEqual({ id: 'demo', name: 'demo', security: 'tls-token', createdAt: state.now });
    expect(await registry.organisations.get('demo')).toEqual(made);
  });

  it('refuse an id that is not one and say where', async () => {
    const { registry } = await openedRegistry();
    const failure = await failureOf(registry.organisations.create({ id: 'my-org', by: 'system' }));
    expect(failure.code).toBe('invalid_request');
    expect(failure.message).toMatch(/^id: .*\(at character 3\)/);
  });

  it('refuse a second one with the same id, an unknown one and an unknown level', async () => {
    const { registry } = await openedRegistry();
    await registry.organisations.create({ id: 'demo', by: 'system' });
    expect(await codeOf(registry.organisations.create({ id: 'demo', by: 'system' }))).toBe('already_exists');
    expect(await codeOf(registry.organisations.get('Demo'))).toBe('not_found');
    expect(await codeOf(registry.organisations.update({ id: 'demo', security: 'none' as never, by: 'system' }))).toBe(
      'invalid_request',
    );
  });

  it('change, suspend and resume, and tell only what has changed', async () => {
    const { registry, told, state } = await openedRegistry();
    await registry.organisations.create({ id: 'demo', by: 'operator:ann' });
    await registry.organisations.update({ id: 'demo', security: 'tls-certificate', by: 'operator:ann' });
    await registry.organisations.update({ id: 'demo', by: 'operator:ann' });
    state.now += 5;
    expect((await registry.organisations.suspend({ id: 'demo', by: 'operator:ann' })).suspendedAt).toBe(state.now);
    await registry.organisations.suspend({ id: 'demo', by: 'operator:ann' });
    expect(await registry.organisations.resume({ id: 'demo', by: 'operator:ann' })).not.toHaveProperty('suspendedAt');
    expect(told.map((change) => change.action)).toEqual([
      'organisation.created',
      'organisation.updated',
      'organisation.suspended',
      'organisation.resumed',
    ]);
    expect(told[1]).toEqual({
      kind: 'organisation',
      change: 'updated',
      organisation: 'demo',
      target: 'organisation:demo',
      by: 'operator:ann',
      action: 'organisation.updated',
    });
  });

  it('cannot be removed while anything is in them', async () => {
    const { registry } = await furnishedRegistry();
    const failure = await failureOf(registry.organisations.remove({ id: 'demo', by: 'system' }));
    expect(failure.code).toBe('in_use');
    expect(failure.message).toMatch(/device types, for example "(hub|pump)"/);
    await registry.types.remove({ organisation: 'demo', id: 'pump', by: 'system' });
    await registry.types.remove({ organisation: 'demo', id: 'hub', by: 'system' });
    await registry.applications.create({ organisation: 'demo', id: 'desk', by: 'system' });
    expect(await codeOf(registry.organisations.remove({ id: 'demo', by: 'system' }))).toBe('in_use');
    await registry.applications.remove({ organisation: 'demo', id: 'desk', by: 'system' });
    await registry.policies.put({ organisation: 'demo', text: 'a', by: 'system' });
    await registry.organisations.remove({ id: 'demo', by: 'system' });
    expect(await codeOf(registry.organisations.get('demo'))).toBe('not_found');
  });

  it('are listed page by page', async () => {
    const { registry } = await openedRegistry();
    for (const id of ['c', 'a', 'b']) await registry.organisations.create({ id, by: 'system' });
    const first = await registry.organisations.list({ limit: 2 });
    expect(first.items.map((item) => item.id)).toEqual(['a', 'b']);
    const second = await registry.organisations.list({ limit: 2, after: first.next! });
    expect(second.items.map((item) => item.id)).toEqual(['c']);
    expect(second).not.toHaveProperty('next');
  });
});

describe('every mutation', () => {
  it('leaves its audit row in the same transaction', async () => {
    const { registry, audit } = await openedRegistry();
    await registry.organisations.create({ id: 'demo', by: 'operator:ann' });
    expect(await audit()).toMatchObject([
      {
        type: 'organisation.created',
        by: 'operator:ann',
        target: 'organisation:demo',
        organisation: 'demo',
        outcome: 'done',
      },
    ]);
  });

  it('leaves neither row nor audit row nor word when it fails', async () => {
    const { registry, audit, told, database } = await openedRegistry();
    await registry.organisations.create({ id: 'demo', by: 'system' });
    await database.query.schema.dropTable('audit').execute();
    await expect(registry.organisations.create({ id: 'other', by: 'system' })).rejects.toThrow(/audit/);
    expect((await registry.organisations.list()).items.map((item) => item.id)).toEqual(['demo']);
    expect(told).toHaveLength(1);
    await expect(audit()).rejects.toThrow();
  });
});
