import {
  draftRoot,
  generateRoleKey,
  type RoleHolders,
  type RoleKey,
  type RootDraft,
  rootMetadata,
  signBootloader,
  signDraft,
  targetsMetadata,
} from '@sallyport/trust/firmware';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

const DAY = 86_400_000;
const keys = { old: [generateRoleKey(), generateRoleKey()], next: [generateRoleKey(), generateRoleKey()] };
const targets = generateRoleKey();
let server: TestServer;
beforeEach(async () => {
  server = await testServer();
});
afterEach(() => server.close());

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const one = (key: Pick<RoleKey, 'keyId' | 'publicKey'>): RoleHolders => ({ keys: [key], threshold: 1 });

async function initialise() {
  const { snapshot, timestamp } = await server.api.firmware.signing('demo');
  const roles = {
    root: { keys: keys.old, threshold: 2 },
    targets: one(targets),
    snapshot: one(snapshot),
    timestamp: one(timestamp),
  };
  await server.api.firmware.initialise('demo', {
    root: text(rootMetadata({ version: 1, expires: Date.now() + DAY, roles, signers: keys.old })),
    targets: text(targetsMetadata({ version: 1, expires: Date.now() + DAY, manifests: [], signers: [targets] })),
    bootloader: Buffer.from(signBootloader(await bootloader(), 1, keys.old)).toString('base64'),
  });
}

const bootloader = async () => Buffer.from((await server.api.firmware.signing('demo')).bootloader, 'base64');

async function draft(
  change: Partial<Record<'root' | 'targets' | 'snapshot' | 'timestamp', RoleHolders>> = {},
  expires = Date.now() + DAY,
): Promise<RootDraft> {
  const signing = await server.api.firmware.signing('demo');
  return draftRoot({
    previous: signing.root ?? '',
    roles: {
      root: { keys: keys.next, threshold: 2 },
      targets: one(targets),
      snapshot: one(signing.snapshot),
      timestamp: one(signing.timestamp),
      ...change,
    },
    expires,
    targetsExpire: Date.now() + DAY,
    bootloader: signing.bootloaderStatement ?? '',
    targets: signing.targets ?? '',
  });
}

const publish = ({ next, bootloader: statement, targets: list }: RootDraft) =>
  server.api.firmware.replaceRoot('demo', {
    root: next,
    bootloader: statement,
    ...(list !== undefined && { targets: list }),
  });

const all = [...keys.old, ...keys.next, targets];
const rootVersion = async () => (await server.api.firmware.describe('demo')).roles[0]?.version;

describe('the next root role', () => {
  beforeEach(initialise);

  it('is not taken with a signature of the old or of the new keys missing, nor with one that is made twice', async () => {
    const unsigned = await draft();
    const [oldOne, oldTwo] = keys.old as [RoleKey, RoleKey];
    const [newOne, newTwo] = keys.next as [RoleKey, RoleKey];
    for (const signers of [
      [],
      [oldOne, oldTwo],
      [newOne, newTwo],
      [oldOne, newOne, newTwo],
      [oldOne, oldTwo, newOne],
    ]) {
      await expect(publish(signDraft(unsigned, signers))).rejects.toThrow(/signed by [01]\/2 keys/);
    }
    const twice = signDraft(unsigned, [oldOne, newOne, newTwo]);
    const role = JSON.parse(twice.next) as { signatures: { keyid: string; sig: string }[] };
    role.signatures.push(...role.signatures.map((signature) => ({ ...signature })));
    await expect(publish({ ...twice, next: JSON.stringify(role) })).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await rootVersion()).toBe(1);
    await publish(signDraft(unsigned, all));
    expect(await rootVersion()).toBe(2);
  });

  it('skips no version and never goes back', async () => {
    const first = signDraft(await draft(), all);
    const skipped = JSON.parse(first.next) as { signed: { version: number } };
    skipped.signed.version = 3;
    await expect(publish({ ...first, next: JSON.stringify(skipped) })).rejects.toThrow('version 2 comes next');
    await publish(first);
    await expect(publish(first)).rejects.toThrow('version 3 comes next');
    await expect(publish({ ...first, next: first.previous })).rejects.toThrow('version 3 comes next');
  });

  it('does not take away what the server needs, nor give its keys more than they had', async () => {
    const { snapshot } = await server.api.firmware.signing('demo');
    const attempts: [RootDraft, string][] = [
      [await draft({ timestamp: one(generateRoleKey()) }), 'does not hold the key of the role timestamp'],
      [await draft({ root: { keys: [...keys.next, snapshot], threshold: 2 } }), 'would speak for root too'],
      [await draft({ targets: one(snapshot) }), 'would speak for targets too'],
      [await draft({}, Date.now() - 1_000), 'expired'],
    ];
    for (const [given, problem] of attempts) {
      await expect(publish(signDraft(given, all)), problem).rejects.toThrow(problem);
    }
    const manyKeys = Array.from({ length: 33 }, () => generateRoleKey());
    const many = await draft({ root: { keys: manyKeys, threshold: 1 } });
    await expect(publish(signDraft(many, [...all, ...manyKeys]))).rejects.toThrow('at most 32');
    expect(await rootVersion()).toBe(1);
  });

  it('brings no other bootloader, and no other list of releases', async () => {
    const good = signDraft(await draft(), all);
    const other = Buffer.from(signBootloader(Buffer.from('another'), 1, all)).toString('base64');
    await expect(publish({ ...good, bootloader: other })).rejects.toThrow('not the one that was signed');
    expect(() => signDraft({ ...good, bootloader: forged() }, all)).toThrow('signed by 0 of the 2');
    const manifest = {
      type: 'pump',
      version: '6.6.6',
      digest: 'a'.repeat(64),
      size: 1,
      sequence: 6,
      minimumSequence: 6,
    };
    const list = targetsMetadata({ version: 2, expires: Date.now() + DAY, manifests: [manifest], signers: [targets] });
    await expect(publish({ ...good, targets: text(list) })).rejects.toThrow('releases have changed');
    expect((await server.api.firmware.list('demo')).items).toEqual([]);
  });
});

const forged = () => Buffer.from(signBootloader(Buffer.from('another'), 1, [generateRoleKey()])).toString('base64');

it('takes no root role where there is no repository', async () => {
  const empty = { root: '{}', bootloader: '' };
  await expect(server.api.firmware.replaceRoot('demo', empty)).rejects.toMatchObject({ code: 'not_found' });
});

it('signs with keys that lie on the server for the last time, and forgets them', async () => {
  await server.api.firmware.initialise('demo');
  await released(server, someImage(1_000), { version: '1.0.0' });
  const moved = signDraft(await draft(), [...keys.next, targets]);
  const { roles } = await publish(moved);
  expect(roles.map(({ role, signedHere }) => [role, signedHere])).toEqual([
    ['root', false],
    ['targets', false],
    ['snapshot', true],
    ['timestamp', true],
  ]);
  await expect(released(server, someImage(1_000), { version: '1.1.0' })).rejects.toThrow('does not hold the keys');
  expect((await server.api.firmware.list('demo')).items).toHaveLength(1);
});
