import { describe, expect, it } from 'vitest';
import { CachedLookup } from '../../src/registry/cached-lookup.ts';
import { codeOf, furnishedRegistry, hashOf } from './opened-registry.ts';

const pump = { organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' };
const name = 'device:demo/pump/pump-7';

describe('the lookup', () => {
  it('gives all that an authenticator asks, and needs no turn the second time', async () => {
    const { registry } = await furnishedRegistry();
    const { credential } = await registry.devices.create(pump);
    const asked = registry.lookup.byPrincipal(name);
    expect(asked).toBeInstanceOf(Promise);
    const found = await asked;
    expect(found).toEqual({
      principal: { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' },
      roles: [],
      security: 'tls-token',
      credentials: [{ id: credential.id, kind: 'token', hash: hashOf('generated-1'), createdAt: credential.createdAt }],
    });
    expect(registry.lookup.byPrincipal(name)).toBe(found);
  });

  it('knows roles and the effective level', async () => {
    const { registry } = await furnishedRegistry();
    await registry.devices.register({ ...pump, type: 'hub', id: 'hub-1' });
    await registry.types.update({ organisation: 'demo', id: 'hub', security: 'tls-certificate', by: 'system' });
    const { record } = await registry.applications.create({
      organisation: 'demo',
      id: 'desk',
      role: 'operations',
      by: 'system',
    });
    expect(await registry.lookup.byPrincipal('gateway:demo/hub/hub-1')).toMatchObject({
      roles: ['gateway-privileged'],
      security: 'tls-certificate',
    });
    expect(await registry.lookup.byPrincipal('device:demo/hub/hub-1')).toBeUndefined();
    const desk = await registry.lookup.byApplicationKey(record.key);
    expect(desk).toMatchObject({ roles: ['operations'], security: 'tls-token', key: record.key });
    expect(registry.lookup.byApplicationKey(record.key)).toBe(desk);
  });

  it('finds a principal by user name, the ended credential too', async () => {
    const { registry } = await furnishedRegistry();
    await registry.devices.register(pump);
    expect(await registry.lookup.byUsername('cellar')).toBeUndefined();
    const wanted = { principal: name, username: 'cellar', password: 'k7Rw!zQ2m*Lv', by: 'system' };
    const { id } = await registry.credentials.createPassword(wanted);
    expect((await registry.lookup.byUsername('cellar'))?.credentials[0]).toMatchObject({ id, username: 'cellar' });
    await registry.credentials.revoke({ id, by: 'operator:ann' });
    expect((await registry.lookup.byUsername('cellar'))?.credentials[0]).toMatchObject({
      id,
      revokedBy: 'operator:ann',
    });
  });

  it('says undefined for names that are none, and asks the disk once for many who ask at a time', async () => {
    const { registry } = await furnishedRegistry();
    for (const odd of [
      '',
      'device:demo',
      'nobody',
      'device:demo/pump/none',
      `device:demo/pump/${'x'.repeat(70_000)}`,
    ]) {
      expect(await registry.lookup.byPrincipal(odd)).toBeUndefined();
    }
    await registry.devices.register(pump);
    expect(registry.lookup.byPrincipal(name)).toBe(registry.lookup.byPrincipal(name));
    expect(await registry.lookup.organisationExists('demo')).toBe(true);
    expect(registry.lookup.organisationExists('demo')).toBe(true);
    expect(await registry.lookup.organisationExists('none')).toBe(false);
    expect(registry.lookup.organisationExists('none')).toBe(false);
  });

  it('answers with every change as soon as it is told', async () => {
    const { registry, told, state } = await furnishedRegistry();
    const { credential } = await registry.devices.create(pump);
    const now = async () => await registry.lookup.byPrincipal(name);
    const organisation = { id: 'demo', by: 'system' };

    await now();
    await registry.devices.suspend(pump);
    expect((await now())?.suspendedAt).toBe(state.now);
    await registry.devices.resume(pump);
    expect(await now()).not.toHaveProperty('suspendedAt');
    await registry.organisations.suspend(organisation);
    expect((await now())?.organisationSuspendedAt).toBe(state.now);
    await registry.organisations.resume(organisation);
    await registry.organisations.update({ ...organisation, security: 'tls-certificate' });
    expect((await now())?.security).toBe('tls-certificate');
    await registry.types.update({ organisation: 'demo', id: 'pump', security: 'tls-optional', by: 'system' });
    expect((await now())?.security).toBe('tls-optional');
    await registry.credentials.revoke({ id: credential.id, by: 'operator:ann' });
    expect((await now())?.credentials[0]).toMatchObject({ revokedBy: 'operator:ann' });
    await registry.devices.remove(pump);
    expect(await now()).toBeUndefined();
    await registry.devices.register(pump);
    expect(await now()).toBeDefined();
    expect(told).toHaveLength(10);
  });

  it('has forgotten before the change is told', async () => {
    const { registry, told } = await furnishedRegistry();
    const { credential } = await registry.devices.create(pump);
    const before = await registry.lookup.byPrincipal(name);
    const push = told.push.bind(told);
    let atTelling: unknown;
    told.push = (change) => {
      atTelling = registry.lookup.byPrincipal(name);
      return push(change);
    };
    await registry.credentials.revoke({ id: credential.id, by: 'operator:ann' });
    expect(atTelling).toBeInstanceOf(Promise);
    expect(await atTelling).not.toEqual(before);
  });

  it('does not answer with what was read before a change, nor keep it', async () => {
    const { registry, database, told, state } = await furnishedRegistry();
    const { credential } = await registry.devices.create(pump);
    const gate = holdResults();
    const lookup = new CachedLookup({ query: gate.on(database.query), now: () => state.now });
    const reading = Promise.resolve(lookup.byPrincipal(name));
    await gate.reached;
    // What is held back was read before the revocation.
    await registry.credentials.revoke({ id: credential.id, by: 'operator:ann' });
    lookup.forget(told.at(-1)!);
    const joined = Promise.resolve(lookup.byPrincipal(name));
    gate.open();
    expect((await reading)?.credentials[0]).toHaveProperty('revokedAt');
    expect((await joined)?.credentials[0]).toHaveProperty('revokedAt');
    expect((await lookup.byPrincipal(name))?.credentials[0]).toHaveProperty('revokedAt');
  });

  it('keeps what is used and forgets what is not, within its bound', async () => {
    const { registry, database, state } = await furnishedRegistry();
    const lookup = new CachedLookup({ query: database.query, now: () => state.now, principals: 2 });
    for (const id of ['p1', 'p2', 'p3']) await registry.devices.register({ ...pump, id });
    await lookup.byPrincipal('device:demo/pump/p1');
    await lookup.byPrincipal('device:demo/pump/p2');
    await lookup.byPrincipal('device:demo/pump/p1');
    await lookup.byPrincipal('device:demo/pump/p3');
    expect(lookup.byPrincipal('device:demo/pump/p1')).not.toBeInstanceOf(Promise);
    const forgotten = lookup.byPrincipal('device:demo/pump/p2');
    expect(forgotten).toBeInstanceOf(Promise);
    await forgotten;
  });

  it('remembers for a moment that nobody has a name', async () => {
    const { database, state, registry } = await furnishedRegistry();
    const lookup = new CachedLookup({ query: database.query, now: () => state.now });
    expect(await lookup.byPrincipal(name)).toBeUndefined();
    await registry.devices.register(pump);
    expect(lookup.byPrincipal(name)).toBeUndefined();
    state.now += 5001;
    expect(await lookup.byPrincipal(name)).toBeDefined();
  });

  it('fails closed when the disk does not answer', async () => {
    const { registry, database } = await furnishedRegistry();
    await database.query.schema.dropTable('credentials').execute();
    await expect(registry.lookup.byUsername('cellar')).rejects.toThrow();
    await expect(registry.lookup.byUsername('cellar')).rejects.toThrow();
    expect(await codeOf(registry.devices.get(pump))).toBe('not_found');
  });
});

/** Holds back what was read of credentials until it is opened. */
function holdResults() {
  let open = () => {};
  let tell = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const gated = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, key) {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        return (...values: unknown[]) => {
          const answer: unknown = member.apply(target, values);
          if (!(answer instanceof Promise)) return gated(answer as object);
          if (key !== 'execute') return answer;
          return answer.then(async (rows: readonly object[]) => {
            if (rows.some((row) => 'token_hash' in row)) {
              tell();
              await opened;
            }
            return rows;
          });
        };
      },
    });
  return { on: gated, reached, open };
}
