import { generateRoleKey } from '@sallyport/trust/firmware';
import { afterEach, describe, expect, it } from 'vitest';
import { TufRepository, tufClient } from './tuf-repository.ts';

const pool = Array.from({ length: 10 }, () => generateRoleKey());
const keys = (numbers: readonly number[]) => numbers.flatMap((number) => pool[number] ?? []);
let remove: () => void = () => {};
afterEach(() => remove());

/** One version of a role: who may sign, how many must, who does. */
type Version = readonly [holders: readonly number[], threshold: number, signers: readonly number[]];

const five = [0, 1, 2, 3, 4];
const oneOther = [0, 1, 3, 4, 5];
const others = [5, 6, 7, 8, 9];
// The cases of the conformance suite of TUF (theupdateframework/tuf-conformance, root and other rotations), each with what a client must do.
const ROOTS: readonly [string, readonly Version[], believed: boolean][] = [
  [
    'one key for another',
    [
      [[1], 1, [1]],
      [[2], 1, [2, 1]],
      [[2], 1, [2]],
    ],
    true,
  ],
  [
    'one key for another, with signatures of strangers',
    [
      [[1], 1, [3, 1, 4]],
      [[2], 1, [3, 2, 1, 4]],
      [[2], 1, [3, 2, 4]],
    ],
    true,
  ],
  [
    '3 of 5, each time signed by others of them',
    [
      [five, 3, [0, 2, 4]],
      [five, 3, [0, 4, 1]],
      [five, 3, [0, 1, 3]],
      [five, 3, [1, 2, 3]],
    ],
    true,
  ],
  [
    '3 of 5, one exchanged',
    [
      [five, 3, [0, 2, 4]],
      [oneOther, 3, [0, 4, 1]],
    ],
    true,
  ],
  [
    '3 of 5, one exchanged with a step between',
    [
      [five, 3, [0, 2, 4]],
      [oneOther, 3, [0, 2, 4, 5]],
      [oneOther, 3, [0, 4, 5]],
    ],
    true,
  ],
  [
    '3 of 5, all exchanged',
    [
      [five, 3, [0, 2, 4]],
      [others, 3, [0, 2, 4, 5, 6, 7]],
      [others, 3, [5, 6, 7]],
    ],
    true,
  ],
  [
    '1 of 3 becomes 2 of 3',
    [
      [[1, 2, 3], 1, [1]],
      [[1, 2, 3], 2, [1, 2]],
    ],
    true,
  ],
  [
    '2 of 3 becomes 1 of 3',
    [
      [[1, 2, 3], 2, [1, 2]],
      [[1, 2, 3], 1, [1, 2]],
      [[1, 2, 3], 1, [1]],
    ],
    true,
  ],
  [
    '1 of 1 becomes 2 of 2',
    [
      [[1], 1, [1]],
      [[1, 2], 2, [1, 2]],
    ],
    true,
  ],
  [
    'not signed by the old key',
    [
      [[1], 1, [1]],
      [[2], 1, [2, 3, 4]],
    ],
    false,
  ],
  [
    'not signed by the new key',
    [
      [[1], 1, [1]],
      [[2], 1, [1, 3, 4]],
    ],
    false,
  ],
  [
    '3 of 5, one exchanged, not signed by 3 of the new',
    [
      [five, 3, [0, 2, 4]],
      [oneOther, 3, [0, 2, 4]],
    ],
    false,
  ],
  [
    '3 of 5, one exchanged, not signed by 3 of the old',
    [
      [five, 3, [0, 2, 4]],
      [oneOther, 3, [0, 4, 5]],
    ],
    false,
  ],
  [
    '1 of 3 becomes 2 of 3, signed by one',
    [
      [[1, 2, 3], 1, [1]],
      [[1, 2, 3], 2, [2]],
    ],
    false,
  ],
  [
    '2 of 3 becomes 1 of 3, signed by one',
    [
      [[1, 2, 3], 2, [1, 2]],
      [[1, 2, 3], 1, [1]],
    ],
    false,
  ],
];

describe('root keys are exchanged', () => {
  it.each(ROOTS)('%s', async (_title, versions, believed) => {
    const repository = new TufRepository();
    const published: Uint8Array[] = [];
    for (const [index, [holders, threshold, signers]] of versions.entries()) {
      repository.versions.root = index + 1;
      repository.holders.root = { keys: keys(holders), threshold };
      repository.signers.root = keys(signers);
      repository.write('root');
      published.push(repository.files.get(`metadata/${index + 1}.root.json`) ?? new Uint8Array());
    }
    repository.signers.root = keys(versions[0]?.[2] ?? []);
    const client = tufClient(repository, published[0]);
    remove = client.remove;
    expect(await client.refresh()).toBe(believed);
    expect(client.versions.root).toBe(believed ? versions.length : versions.length - 1);
  });

  it('fifty times, and a device that was away takes them all', { timeout: 60_000 }, async () => {
    const repository = new TufRepository();
    const client = tufClient(repository);
    remove = client.remove;
    for (let times = 0; times < 50; times++) {
      const before = repository.signers.root;
      repository.rotate('root');
      repository.signers.root = [...before, ...repository.signers.root];
      repository.publish('root');
      repository.signers.root = repository.holders.root.keys;
    }
    expect(await client.refresh()).toBe(true);
    expect(client.versions.root).toBe(51);
  });

  it('a version that is left out, comes again or goes back is not followed', async () => {
    for (const number of [1, 2, 4]) {
      const repository = new TufRepository();
      const client = tufClient(repository);
      repository.publish('root');
      repository.versions.root = number;
      repository.write('root');
      const wrong = repository.files.get(`metadata/${number}.root.json`) ?? new Uint8Array();
      repository.files.set('metadata/3.root.json', wrong);
      expect(await client.refresh(), `version ${number} as 3.root.json`).toBe(false);
      expect(client.versions.root).toBe(2);
      client.remove();
    }
  });
});

const ROLES: readonly [string, Version, believed: boolean][] = [
  ['one key for another', [[2], 1, [2]], true],
  ['signatures of strangers', [[1], 1, [3, 1, 4]], true],
  ['not signed by the new key', [[2], 1, [1, 3, 4]], false],
  ['3 of 5, one of the signers is none of them', [oneOther, 3, [0, 2, 4]], false],
  ['3 of 5, two have signed', [oneOther, 3, [0, 4]], false],
  ['3 of 5, in one way', [five, 3, [0, 2, 4]], true],
  ['3 of 5, in another way', [five, 3, [0, 4, 1]], true],
  ['3 of 5, in a third way', [five, 3, [2, 3, 4]], true],
];

describe.each(['timestamp', 'snapshot', 'targets'] as const)('keys of the role %s are exchanged', (role) => {
  it.each(ROLES)('%s', async (_title, [holders, threshold, signers], believed) => {
    const repository = new TufRepository();
    const client = tufClient(repository);
    remove = client.remove;
    repository.holders[role] = { keys: keys(holders), threshold };
    repository.signers[role] = keys(signers);
    repository.publish('root');
    repository.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe(believed);
    expect(client.versions.root).toBe(2);
    expect(client.versions[role]).toBe(believed ? 2 : 0);
  });
});
