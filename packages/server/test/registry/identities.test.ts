import { expect, test } from 'vitest';
import { codeOf, furnishedRegistry } from './opened-registry.ts';

const by = 'operator:ann';
const organisation = 'demo';
const DESK = 'application:demo/desk';

async function world() {
  const opened = await furnishedRegistry();
  const { registry, state, told } = opened;
  await registry.applications.create({ organisation, id: 'desk', by });
  await registry.devices.create({ organisation, type: 'pump', id: 'pump-7', by });
  told.length = 0;
  const keys = (letter: string, principal = DESK) => ({
    principal,
    keyId: letter.repeat(22),
    algorithm: 'EdDSA' as const,
    signingKey: new Uint8Array(32).fill(1),
    sealingKey: new Uint8Array(32).fill(2),
    notAfter: state.now + 10_000,
    by,
  });
  return { ...opened, keys };
}

test('puts public keys on record, and tells and writes who did it', async () => {
  const { registry, keys, told, audit } = await world();
  const record = await registry.identities.add(keys('a'));
  expect(await registry.identities.get({ organisation, keyId: 'a'.repeat(22) })).toEqual(record);
  expect(record).toMatchObject({ principal: DESK, organisation, createdBy: by });
  expect(told).toMatchObject([{ action: 'identity.created', principal: DESK, by }]);
  expect((await audit()).at(-1)).toMatchObject({ type: 'identity.created', by });
});

test('refuses keys that somebody has, keys of nobody, and keys of a device that is called a gateway', async () => {
  const { registry, keys } = await world();
  await registry.identities.add(keys('a'));
  expect(await codeOf(registry.identities.add(keys('a', 'device:demo/pump/pump-7')))).toBe('already_exists');
  expect(await codeOf(registry.identities.add(keys('b', 'application:demo/nobody')))).toBe('not_found');
  expect(await codeOf(registry.identities.add(keys('b', 'gateway:demo/pump/pump-7')))).toBe('not_found');
  expect(await codeOf(registry.identities.add(keys('b', 'operator:ann')))).toBe('invalid_request');
});

test('ends earlier keys after the overlap and not later than they would', async () => {
  const { registry, keys, state } = await world();
  await registry.identities.add({ ...keys('a'), notAfter: state.now + 500 });
  await registry.identities.add(keys('b'));
  await registry.identities.add({ ...keys('c'), endEarlierAt: state.now + 1_000 });
  const { items } = await registry.identities.list({ organisation, principal: DESK });
  expect(items.map(({ keyId, notAfter }) => [keyId[0], notAfter - state.now])).toEqual([
    ['c', 10_000],
    ['b', 1_000],
    ['a', 500],
  ]);
});

test('names what was revoked, keeps it so, and bounds how many are in force', async () => {
  const { registry, keys, state } = await world();
  for (const letter of 'abcdefgh') await registry.identities.add(keys(letter));
  expect(await codeOf(registry.identities.add(keys('i')))).toBe('in_use');
  const revoked = await registry.identities.revoke({ organisation, keyId: 'a'.repeat(22), by });
  state.now += 5;
  expect(await registry.identities.revoke({ organisation, keyId: 'a'.repeat(22), by })).toEqual(revoked);
  expect(await registry.identities.revokedOf(DESK, 10)).toEqual(['a'.repeat(22)]);
  await registry.identities.add(keys('i'));
});

test('forgets the keys of what is removed, and lists page after page', async () => {
  const { registry, keys } = await world();
  for (const letter of 'abc') await registry.identities.add(keys(letter));
  const first = await registry.identities.list({ organisation, limit: 2 });
  const second = await registry.identities.list({ organisation, limit: 2, after: first.next ?? '' });
  expect([...first.items, ...second.items].map(({ keyId }) => keyId[0])).toEqual(['c', 'b', 'a']);
  await registry.applications.remove({ organisation, id: 'desk', by });
  expect((await registry.identities.list({ organisation })).items).toEqual([]);
});

test('keeps what a device type demands, and tells it with the change', async () => {
  const { registry, told } = await world();
  await registry.types.create({ organisation, id: 'meter', commands: 'signed', by });
  await registry.types.update({ organisation, id: 'pump', encryption: 'required', by });
  expect(told.map(({ type }) => type)).toMatchObject([{ commands: 'signed' }, { encryption: 'required' }]);
  expect((await registry.types.demanding()).map(({ id }) => id).sort()).toEqual(['meter', 'pump']);
  await registry.types.update({ organisation, id: 'pump', encryption: null, by });
  expect((await registry.types.demanding()).map(({ id }) => id)).toEqual(['meter']);
});
