import { describe, expect, it } from 'vitest';
import { codeOf, furnishedRegistry } from './opened-registry.ts';

const desk = { organisation: 'demo', id: 'desk', by: 'operator:ann' };

describe('applications', () => {
  it('are made with a key in which Watson clients find the organisation', async () => {
    const { registry } = await furnishedRegistry();
    const { record, token } = await registry.applications.create(desk);
    expect(record.key).toMatch(/^a-demo-[0-9a-z]{10}$/);
    expect(record.role).toBe('standard');
    expect(token).toBe('generated-1');
  });

  it('take a chosen key of that form, once on the server', async () => {
    const { registry } = await furnishedRegistry();
    await registry.organisations.create({ id: 'other', by: 'system' });
    expect((await registry.applications.create({ ...desk, key: 'a-demo-desk' })).record.key).toBe('a-demo-desk');
    expect(await codeOf(registry.applications.create({ ...desk, id: 'b', key: 'a-demo-desk' }))).toBe('already_exists');
    expect(await codeOf(registry.applications.create({ ...desk, id: 'b', key: 'a-other-desk' }))).toBe(
      'invalid_request',
    );
    expect(await codeOf(registry.applications.create({ ...desk, id: 'b', key: 'a-demo-de-sk' }))).toBe(
      'invalid_request',
    );
    expect(await codeOf(registry.applications.create(desk))).toBe('already_exists');
    await registry.applications.create({ ...desk, organisation: 'other' });
  });

  it('change role, are suspended, resumed and removed', async () => {
    const { registry, told } = await furnishedRegistry();
    await registry.applications.create(desk);
    expect((await registry.applications.update({ ...desk, role: 'visualization' })).role).toBe('visualization');
    expect(await codeOf(registry.applications.update({ ...desk, role: 'boss' as never }))).toBe('invalid_request');
    await registry.applications.suspend(desk);
    await registry.applications.resume(desk);
    await registry.applications.remove(desk);
    expect(await codeOf(registry.applications.get(desk))).toBe('not_found');
    expect(told.map((change) => change.action)).toEqual([
      'application.created',
      'application.updated',
      'application.suspended',
      'application.resumed',
      'application.removed',
    ]);
    expect(told[1]).toMatchObject({ principal: 'application:demo/desk', organisation: 'demo' });
    expect((await registry.applications.list({ organisation: 'demo' })).items).toEqual([]);
  });
});
