import { describe, expect, it } from 'vitest';
import { codeOf, failureOf, furnishedRegistry, hashOf } from './opened-registry.ts';

const pump = { organisation: 'demo', type: 'pump', id: 'pump-7', by: 'operator:ann' };
const hub = { organisation: 'demo', type: 'hub', id: 'hub-1', by: 'operator:ann' };

describe('devices', () => {
  it('are made with a token that is answered once and kept as a hash', async () => {
    const { registry, database, audit, told } = await furnishedRegistry();
    const made = await registry.devices.create({ ...pump, description: 'by the door' });
    expect(made.token).toBe('generated-1');
    expect(made.record).toMatchObject({ class: 'device', description: 'by the door' });
    const rows = await database.query.selectFrom('credentials').selectAll().execute();
    expect(Buffer.from(rows[0]!.token_hash!)).toEqual(hashOf('generated-1'));
    const everything = JSON.stringify([rows, await audit(), told, await registry.devices.get(pump)]);
    expect(everything).not.toContain('generated-1');
    expect(told).toMatchObject([{ action: 'device.created', principal: 'device:demo/pump/pump-7' }]);
  });

  it('take a chosen token and refuse one that says their name, without repeating it', async () => {
    const { registry } = await furnishedRegistry();
    const failure = await failureOf(registry.devices.create({ ...pump, token: 'aB9!pump-7xYz' }));
    expect(failure.code).toBe('invalid_request');
    expect(failure.message).toMatch(/^token: .*\(at character \d+\)/);
    expect(failure.message).not.toContain('aB9!');
    const made = await registry.devices.create({ ...pump, token: 'k7Rw!zQ2m*Lv' });
    expect(made.token).toBe('k7Rw!zQ2m*Lv');
  });

  it('are registered without a credential if one is not wanted', async () => {
    const { registry } = await furnishedRegistry();
    await registry.devices.register(pump);
    expect(await registry.credentials.list('device:demo/pump/pump-7')).toEqual([]);
  });

  it('are gateways by their type, privileged unless said otherwise', async () => {
    const { registry, told } = await furnishedRegistry();
    expect((await registry.devices.create(hub)).record).toMatchObject({ class: 'gateway', gatewayRole: 'privileged' });
    expect(told[0]).toMatchObject({ kind: 'gateway', principal: 'gateway:demo/hub/hub-1' });
    expect((await registry.devices.update({ ...hub, gatewayRole: 'standard' })).gatewayRole).toBe('standard');
    expect(await codeOf(registry.devices.register({ ...pump, gatewayRole: 'standard' }))).toBe('invalid_request');
    expect(await codeOf(registry.devices.update({ ...hub, gatewayRole: 'king' as never }))).toBe('invalid_request');
  });

  it('refuse a bad id, a taken one, a type that does not exist, and an end in the past', async () => {
    const { registry, state } = await furnishedRegistry();
    await registry.devices.create(pump);
    expect(await codeOf(registry.devices.create({ ...pump, id: 'a/b' }))).toBe('invalid_request');
    expect(await codeOf(registry.devices.create(pump))).toBe('already_exists');
    expect(await codeOf(registry.devices.create({ ...pump, type: 'tap' }))).toBe('not_found');
    expect(await codeOf(registry.devices.create({ ...pump, id: 'p8', expiresAt: state.now }))).toBe('invalid_request');
    expect(await codeOf(registry.devices.get({ ...pump, id: 'p8' }))).toBe('not_found');
  });

  it('lose their credentials when they are removed', async () => {
    const { registry, database, told } = await furnishedRegistry();
    await registry.devices.create(pump);
    await registry.devices.remove(pump);
    expect(await database.query.selectFrom('credentials').selectAll().execute()).toEqual([]);
    expect(told.at(-1)).toMatchObject({ action: 'device.removed', principal: 'device:demo/pump/pump-7' });
    expect(await codeOf(registry.devices.remove(pump))).toBe('not_found');
  });

  it('are suspended and resumed', async () => {
    const { registry, told, state } = await furnishedRegistry();
    await registry.devices.register(pump);
    expect((await registry.devices.suspend(pump)).suspendedAt).toBe(state.now);
    await registry.devices.suspend(pump);
    expect(await registry.devices.resume(pump)).not.toHaveProperty('suspendedAt');
    expect(told.map((change) => change.change)).toEqual(['created', 'suspended', 'resumed']);
  });

  it('are listed page by page, of one type or of all', async () => {
    const { registry } = await furnishedRegistry();
    await registry.devices.register(hub);
    for (const id of ['p3', 'p1', 'p2']) await registry.devices.register({ ...pump, id });
    const names: string[] = [];
    let after: string | undefined;
    do {
      const page = await registry.devices.list({ organisation: 'demo', limit: 2, ...(after && { after }) });
      names.push(...page.items.map((item) => item.id));
      after = page.next;
    } while (after !== undefined);
    expect(names).toEqual(['hub-1', 'p1', 'p2', 'p3']);
    const pumps = await registry.devices.list({ organisation: 'demo', type: 'pump', limit: 2, after: 'pump/p1' });
    expect(pumps.items.map((item) => item.id)).toEqual(['p2', 'p3']);
  });
});
