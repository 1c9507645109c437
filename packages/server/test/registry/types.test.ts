import { describe, expect, it } from 'vitest';
import { codeOf, furnishedRegistry } from './opened-registry.ts';

describe('device types', () => {
  it('are made of the class device unless they are of gateways', async () => {
    const { registry } = await furnishedRegistry();
    expect((await registry.types.get({ organisation: 'demo', id: 'pump' })).class).toBe('device');
    expect((await registry.types.get({ organisation: 'demo', id: 'hub' })).class).toBe('gateway');
  });

  it('keep metadata, and lose what is cleared', async () => {
    const { registry } = await furnishedRegistry();
    const name = { organisation: 'demo', id: 'pump' };
    const full = await registry.types.update({
      ...name,
      description: 'Pumps',
      security: 'tls-certificate',
      metadata: { maker: 'ACME' },
      by: 'system',
    });
    expect(full).toMatchObject({ description: 'Pumps', security: 'tls-certificate', metadata: { maker: 'ACME' } });
    const cleared = await registry.types.update({ ...name, description: null, security: null, by: 'system' });
    expect(cleared).not.toHaveProperty('description');
    expect(cleared).not.toHaveProperty('security');
    expect(cleared.metadata).toEqual({ maker: 'ACME' });
  });

  it('refuse what is too large', async () => {
    const { registry } = await furnishedRegistry();
    const name = { organisation: 'demo', id: 'pump', by: 'system' };
    expect(await codeOf(registry.types.update({ ...name, metadata: { a: 'x'.repeat(17_000) } }))).toBe(
      'invalid_request',
    );
    expect(await codeOf(registry.types.update({ ...name, description: 'x'.repeat(1025) }))).toBe('invalid_request');
  });

  it('cannot be removed while they have devices', async () => {
    const { registry } = await furnishedRegistry();
    await registry.devices.register({ organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' });
    expect(await codeOf(registry.types.remove({ organisation: 'demo', id: 'pump', by: 'system' }))).toBe('in_use');
  });

  it('belong to an organisation that exists', async () => {
    const { registry } = await furnishedRegistry();
    expect(await codeOf(registry.types.create({ organisation: 'none', id: 'pump', by: 'system' }))).toBe('not_found');
    expect(await codeOf(registry.types.create({ organisation: 'demo', id: 'pump', by: 'system' }))).toBe(
      'already_exists',
    );
    expect(await codeOf(registry.types.list({ organisation: 'none' }))).toBe('not_found');
  });
});
