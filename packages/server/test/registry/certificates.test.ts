import { expect, test } from 'vitest';
import { codeOf, failureOf, furnishedRegistry } from './opened-registry.ts';

const by = 'operator:ann';
const organisation = 'demo';
const PUMP = 'device:demo/pump/pump-7';
const name = { organisation, type: 'pump', id: 'pump-7' };
const hash = (digit: string) => digit.repeat(64);

async function world() {
  const opened = await furnishedRegistry();
  const { registry, state, told } = opened;
  await registry.devices.create({ ...name, by });
  told.length = 0;
  const facts = (serial: string, fingerprint = hash('f')) => ({
    principal: PUMP,
    fingerprint,
    issuerNameHash: hash('a'),
    issuer: 'CN=Plant',
    serial,
    subject: 'CN=d:pump:pump-7',
    notBefore: state.now - 1000,
    notAfter: state.now + 86_400_000,
    by,
  });
  const authority = (fingerprint: string) => ({
    organisation,
    der: Uint8Array.of(1, 2, 3),
    fingerprint,
    subject: 'CN=Plant',
    subjectNameHash: hash('a'),
    notBefore: 0,
    notAfter: state.now + 1000,
    by,
  });
  return { ...opened, facts, authority };
}

test('tells whose session a revoked certificate concerns, and writes who did it', async () => {
  const { registry, facts, told, audit } = await world();
  const record = await registry.certificates.recordIssued(facts('0d'));
  await registry.certificates.revoke({ organisation, id: record.id, by });
  await registry.certificates.revoke({ organisation, id: record.id, by });
  expect(told.map(({ action, principal }) => `${action} ${principal}`)).toEqual([
    `certificate.created ${PUMP}`,
    `certificate.revoked ${PUMP}`,
  ]);
  const [found] = await registry.certificates.findBySerial({ issuerNameHash: hash('a'), serial: '0d' });
  expect(found).toMatchObject({ kind: 'issued', principal: PUMP, revokedBy: by });
  expect((await audit()).slice(-2).map(({ type }) => type)).toEqual(['certificate.created', 'certificate.revoked']);
});

test('pins a certificate to one principal at a time, and again after the pin was revoked', async () => {
  const { registry, facts } = await world();
  const pin = await registry.certificates.pin(facts('01'));
  expect(await codeOf(registry.certificates.pin(facts('01')))).toBe('already_exists');
  await registry.certificates.revoke({ organisation, id: pin.id, by });
  expect((await registry.certificates.findPin(hash('f')))?.revokedAt).toBeDefined();
  await registry.certificates.pin(facts('01'));
  expect((await registry.certificates.findPin(hash('f')))?.revokedAt).toBeUndefined();
});

test('forgets the certificates of a device with the device, so that a new one of its name begins without', async () => {
  const { registry, facts } = await world();
  await registry.certificates.recordIssued(facts('0d'));
  await registry.devices.remove({ ...name, by });
  await registry.devices.create({ ...name, by });
  expect(await registry.certificates.findBySerial({ issuerNameHash: hash('a'), serial: '0d' })).toEqual([]);
});

test('lists page by page, by principal, by serial, and what ends soon', async () => {
  const { registry, facts, state } = await world();
  for (const serial of ['01', '02', '03'])
    await registry.certificates.recordIssued(facts(serial, hash(serial[1] ?? '')));
  const page = await registry.certificates.list({ organisation, limit: 2 });
  expect(page.items.map(({ serial }) => serial)).toEqual(['03', '02']);
  const rest = await registry.certificates.list({ organisation, limit: 2, after: page.next ?? '' });
  expect(rest.items.map(({ serial }) => serial)).toEqual(['01']);
  const soon = { organisation, endingBefore: state.now + 2 * 86_400_000 };
  expect((await registry.certificates.list(soon)).items).toHaveLength(3);
  await registry.certificates.revoke({ organisation, id: page.items[0]?.id ?? '', by });
  expect((await registry.certificates.list(soon)).items).toHaveLength(2);
  expect((await registry.certificates.list({ organisation, endingBefore: state.now + 1 })).items).toEqual([]);
  expect((await registry.certificates.list({ organisation, serial: '02' })).items).toHaveLength(1);
  expect(await codeOf(registry.certificates.list({ organisation, after: 'x' }))).toBe('invalid_request');
});

test('notes the revocation of a foreign certificate once, and tells the whole organisation', async () => {
  const { registry, told } = await world();
  const foreign = { organisation, issuerNameHash: hash('a'), issuer: 'CN=Plant', serial: '83', by };
  const first = await registry.certificates.revokeForeign(foreign);
  expect(await registry.certificates.revokeForeign(foreign)).toEqual(first);
  expect(told.map(({ action, organisation: org, principal }) => [action, org, principal])).toEqual([
    ['certificate.revoked', 'demo', undefined],
  ]);
  expect(await codeOf(registry.certificates.revokeForeign({ ...foreign, serial: 'not hex' }))).toBe('invalid_request');
});

test('refuses principals that are nobody, operators, and more than fifty in force', async () => {
  const { registry, facts, state } = await world();
  expect(await codeOf(registry.certificates.pin({ ...facts('01'), principal: 'operator:ann' }))).toBe(
    'invalid_request',
  );
  expect(await codeOf(registry.certificates.pin({ ...facts('01'), principal: 'device:demo/pump/x' }))).toBe(
    'not_found',
  );
  for (let i = 0; i < 50; i++) await registry.certificates.recordIssued(facts(i.toString(16).padStart(2, '0')));
  expect((await failureOf(registry.certificates.recordIssued(facts('ff')))).code).toBe('in_use');
  state.now += 2 * 86_400_000;
  await registry.certificates.recordIssued({ ...facts('ff'), notAfter: state.now + 1000 });
});

test('trusts an authority until it is removed, and bounds how many', async () => {
  const { registry, authority, told } = await world();
  const digits = (n: number) => n.toString(16).padStart(64, '0');
  await registry.authorities.add(authority(digits(0)));
  expect(await codeOf(registry.authorities.add(authority(digits(0))))).toBe('already_exists');
  expect(await registry.authorities.trusts(organisation, digits(0))).toBe(true);
  expect(await registry.authorities.findBySubject({ subjectNameHashes: [hash('a')] })).toHaveLength(1);
  expect(await registry.authorities.findBySubject({ organisation: 'other', subjectNameHashes: [hash('a')] })).toEqual(
    [],
  );
  expect(await registry.authorities.distinct(5)).toEqual([Buffer.from([1, 2, 3])]);
  await registry.authorities.remove({ organisation, fingerprint: digits(0), by });
  expect(await registry.authorities.trusts(organisation, digits(0))).toBe(false);
  expect(told.map(({ action }) => action)).toEqual(['authority.created', 'authority.removed']);
  expect(await codeOf(registry.authorities.remove({ organisation, fingerprint: digits(0), by }))).toBe('not_found');
  expect(await codeOf(registry.authorities.get({ organisation, fingerprint: 'x' }))).toBe('invalid_request');
  for (let i = 0; i < 50; i++) await registry.authorities.add(authority(digits(i)));
  expect(await codeOf(registry.authorities.add(authority(digits(99))))).toBe('in_use');
});

test('lets an organisation go with its authorities and certificates', async () => {
  const { registry, authority, facts } = await world();
  await registry.authorities.add(authority(hash('c')));
  await registry.certificates.recordIssued(facts('01'));
  await registry.certificates.revokeForeign({ organisation, issuerNameHash: hash('a'), issuer: 'x', serial: '83', by });
  await registry.devices.remove({ ...name, by });
  await registry.types.remove({ organisation, id: 'pump', by });
  await registry.types.remove({ organisation, id: 'hub', by });
  await registry.organisations.remove({ id: organisation, by });
  expect(await registry.authorities.findBySubject({ subjectNameHashes: [hash('a')] })).toEqual([]);
});

test('counts what ends within spans of days, without those that have a successor, and what is revoked', async () => {
  const { registry, facts, state } = await world();
  const { certificates } = registry;
  const DAY = 86_400_000;
  await registry.devices.create({ ...name, id: 'pump-8', by });
  const ends = (serial: string, days: number, principal = PUMP) =>
    certificates.recordIssued({
      ...facts(serial, hash(serial[1] ?? '0')),
      principal,
      notAfter: state.now + days * DAY,
    });
  await ends('01', 5);
  await ends('02', 20);
  const revoked = await ends('03', 3, 'device:demo/pump/pump-8');
  await certificates.revoke({ organisation, id: revoked.id, by });
  await ends('04', 25, 'device:demo/pump/pump-8');
  // That of 5 days has one of 20 as its successor, but not over the next 30 days.
  expect(await certificates.endingWithin([30, 7, 1])).toEqual([
    { organisation, within: [3, 0, 0], notAfter: state.now + 5 * DAY },
  ]);
  await ends('05', 90);
  expect(await certificates.endingWithin([30, 7, 1])).toMatchObject([{ within: [1, 0, 0] }]);
  expect(await registry.revoked.find({ issuerNameHash: hash('a'), serial: '03' })).toBe(state.now);
  expect(await registry.revoked.find({ issuerNameHash: hash('a'), serial: '04' })).toBeUndefined();
  await registry.devices.remove({ ...name, id: 'pump-8', by });
  const listed: string[] = [];
  for await (const portion of registry.revoked.portions(hash('a'))) listed.push(...portion.map(({ serial }) => serial));
  expect(listed).toEqual(['03', '04']);
});
