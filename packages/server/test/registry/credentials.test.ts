import { describe, expect, it } from 'vitest';
import { codeOf, furnishedRegistry } from './opened-registry.ts';

const name = 'device:demo/pump/pump-7';
const pump = { organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' };
const own = { principal: name, by: 'operator:ann' };

describe('tokens', () => {
  it('overlap while they are rotated, until the older is revoked', async () => {
    const { registry, told, state } = await furnishedRegistry();
    const first = await registry.devices.create(pump);
    state.now += 1000;
    const second = await registry.credentials.createToken({ ...own, expiresAt: state.now + 5 });
    expect((await registry.credentials.list(name)).map((item) => item.id)).toEqual([
      second.record.id,
      first.credential.id,
    ]);
    const revoked = await registry.credentials.revoke({ id: first.credential.id, by: 'operator:ann' });
    expect(revoked).toMatchObject({ revokedAt: state.now, revokedBy: 'operator:ann' });
    expect(told.at(-1)).toEqual({
      kind: 'credential',
      change: 'revoked',
      organisation: 'demo',
      principal: name,
      credential: first.credential.id,
      by: 'operator:ann',
      action: 'credential.revoked',
      target: `credential:${first.credential.id}`,
    });
  });

  it('are revoked once', async () => {
    const { registry, told, state } = await furnishedRegistry();
    const { credential } = await registry.devices.create(pump);
    const first = await registry.credentials.revoke({ id: credential.id, by: 'operator:ann' });
    state.now += 1;
    expect(await registry.credentials.revoke({ id: credential.id, by: 'operator:ben' })).toEqual(first);
    expect(told.filter((change) => change.change === 'revoked')).toHaveLength(1);
    expect(await codeOf(registry.credentials.revoke({ id: 'none', by: 'operator:ann' }))).toBe('not_found');
  });

  it('are bounded, in force and ended', async () => {
    const { registry } = await furnishedRegistry();
    await registry.devices.register(pump);
    for (let i = 0; i < 50; i++) await registry.credentials.createToken(own);
    expect(await codeOf(registry.credentials.createToken(own))).toBe('in_use');
    for (const { id } of await registry.credentials.list(name)) await registry.credentials.revoke({ id, by: 'system' });
    const { record } = await registry.credentials.createToken(own);
    const left = await registry.credentials.list(name);
    expect(left).toHaveLength(20);
    expect(left[0]).toEqual(record);
  });

  it('belong to somebody who exists, under the right class', async () => {
    const { registry } = await furnishedRegistry();
    await registry.devices.register(pump);
    expect(await codeOf(registry.credentials.createToken({ ...own, principal: 'gateway:demo/pump/pump-7' }))).toBe(
      'not_found',
    );
    expect(await codeOf(registry.credentials.createToken({ ...own, principal: 'device:demo/pump/pump-8' }))).toBe(
      'not_found',
    );
    expect(await codeOf(registry.credentials.createToken({ ...own, principal: 'pump-7' }))).toBe('invalid_request');
  });
});

describe('passwords', () => {
  const wanted = { ...own, username: 'cellar', password: 'k7Rw!zQ2m*Lv' };

  it('are kept as a hash under a user name of one principal', async () => {
    const { registry, database } = await furnishedRegistry();
    await registry.devices.register(pump);
    await registry.devices.register({ ...pump, id: 'pump-8' });
    const record = await registry.credentials.createPassword(wanted);
    expect(record).toMatchObject({ kind: 'password', username: 'cellar' });
    const row = await database.query.selectFrom('credentials').selectAll().executeTakeFirstOrThrow();
    expect(row.password_hash).toBe('hash of k7Rw!zQ2m*Lv');
    const other = { ...wanted, principal: 'device:demo/pump/pump-8' };
    expect(await codeOf(registry.credentials.createPassword(other))).toBe('already_exists');
    await registry.credentials.createPassword({ ...wanted, password: 'another-Pass9' });

    for (const { id } of await registry.credentials.list(name)) await registry.credentials.revoke({ id, by: 'system' });
    await registry.credentials.createPassword(other);
    expect((await registry.lookup.byUsername('cellar'))?.principal).toMatchObject({ id: 'pump-8' });
  });

  it('are refused before the hash is paid for', async () => {
    const { registry, state } = await furnishedRegistry();
    await registry.devices.register(pump);
    const tries = [
      { ...wanted, username: 'use-token-auth' },
      { ...wanted, username: 'a-demo-abcdefghij' },
      { ...wanted, username: '' },
      { ...wanted, username: 'tab\there' },
      { ...wanted, password: 'short' },
      { ...wanted, password: 'my-Cellar-99' },
      { ...wanted, password: 'x'.repeat(257) },
      { ...wanted, expiresAt: state.now - 1 },
    ];
    for (const attempt of tries)
      expect(await codeOf(registry.credentials.createPassword(attempt))).toBe('invalid_request');
    expect(await codeOf(registry.credentials.createPassword({ ...wanted, principal: 'device:demo/pump/x' }))).toBe(
      'not_found',
    );
    expect(state.hashes).toBe(0);
  });
});
