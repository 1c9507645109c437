import { countersignRole, generateRoleKey } from '@sallyport/trust/firmware';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { burnRom } from '../../src/boot/rom.ts';
import type { FirmwareSource } from '../../src/firmware/firmware-source.ts';
import { TufRepository, tufClient } from './tuf-repository.ts';

// The cases of the conformance suite of TUF (theupdateframework/tuf-conformance), told to the updater of a device.
const DAY = 86_400_000;
let repository: TufRepository;
let client: ReturnType<typeof tufClient>;
beforeEach(() => {
  repository = new TufRepository();
  client = tufClient(repository);
});
afterEach(() => {
  vi.useRealTimers();
  client.remove();
});

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? '').toString('utf8');
const changed = (file: string, change: (role: { signed: Record<string, unknown> }) => void) => {
  const role = JSON.parse(text(repository.files.get(file))) as { signed: Record<string, unknown> };
  change(role);
  return role;
};

describe('a refresh', () => {
  it('asks for the next root, then timestamp, snapshot and targets, and for nothing twice', async () => {
    expect(await client.refresh()).toBe(true);
    expect(repository.requests).toEqual([
      'metadata/2.root.json',
      'metadata/timestamp.json',
      'metadata/1.snapshot.json',
      'metadata/1.targets.json',
    ]);
    expect(client.versions).toEqual({ root: 1, targets: 1, snapshot: 1, timestamp: 1 });
    expect(await client.refresh()).toBe(true);
    expect(repository.requests).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
  });

  it('copes with fields that nobody knows, as long as they are signed', async () => {
    repository.versions.root = 2;
    repository.write('root', (bytes) => {
      const role = JSON.parse(text(bytes)) as { signed: { keys: Record<string, object> }; signatures: unknown[] };
      Object.assign(role.signed, { 'custom-field': 'value' });
      for (const key of Object.values(role.signed.keys)) {
        Object.assign(key, { 'extra-field': { a: 1, b: 2 }, keyid_hash_algorithms: ['md5'] });
      }
      role.signatures = [];
      return Buffer.from(countersignRole('root', JSON.stringify(role), repository.signers.root));
    });
    expect(await client.refresh()).toBe(true);
    expect(client.versions.root).toBe(2);
  });

  it.each(['root', 'targets', 'snapshot', 'timestamp'] as const)(
    'believes no %s in which a byte was changed after it was signed',
    async (role) => {
      if (role === 'root') repository.publish('root');
      const file = role === 'timestamp' ? 'timestamp.json' : `${repository.versions[role]}.${role}.json`;
      const wrong = changed(`metadata/${file}`, ({ signed }) =>
        Object.assign(signed, { expires: '2099-01-01T00:00:00Z' }),
      );
      repository.files.set(`metadata/${file}`, Buffer.from(JSON.stringify(wrong)));
      expect(await client.refresh()).toBe(false);
      expect(client.versions[role]).toBe(role === 'root' ? 1 : 0);
    },
  );

  it('takes no role for another one', async () => {
    for (const [from, to] of [
      ['1.targets.json', 'timestamp.json'],
      ['timestamp.json', '1.snapshot.json'],
      ['1.snapshot.json', '1.targets.json'],
      ['timestamp.json', '2.root.json'],
    ]) {
      const other = new TufRepository();
      const another = tufClient(other);
      other.files.set(`metadata/${to}`, other.files.get(`metadata/${from}`) ?? new Uint8Array());
      expect(await another.refresh(), `${from} as ${to}`).toBe(false);
      another.remove();
    }
  });

  it('is not led on by what is no metadata at all', async () => {
    for (const nonsense of [
      '',
      '{',
      '[]',
      'null',
      '"x"',
      '{"signed":{}}',
      '{"signed":{"_type":"timestamp"},"signatures":{}}',
    ]) {
      repository.files.set('metadata/timestamp.json', Buffer.from(nonsense));
      expect(await client.refresh(), nonsense).toBe(false);
    }
    expect(client.versions.timestamp).toBe(0);
  });

  it('pins no root that has no version, or that its own keys have not signed', () => {
    const first = 'metadata/1.root.json';
    const versionless = changed(first, ({ signed }) => delete signed.version);
    const role = JSON.parse(text(repository.files.get(first))) as { signatures: { sig: string }[] };
    const unsigned = { ...role, signatures: role.signatures.map((one) => ({ ...one, sig: '00'.repeat(64) })) };
    for (const root of [versionless, unsigned, { ...role, signatures: [] }]) {
      expect(() => burnRom(client.flash, 'pump', JSON.stringify(root))).toThrow('root role to pin');
    }
  });
});

describe('versions', () => {
  it('of a timestamp stay when its content changes and its number does not', async () => {
    await client.refresh();
    repository.publish('snapshot');
    repository.write('timestamp');
    expect(await client.refresh()).toBe(true);
    expect(client.versions).toMatchObject({ timestamp: 1, snapshot: 1 });
  });

  it.each(['timestamp', 'snapshot', 'targets'] as const)('of %s do not go back', async (role) => {
    repository.publish('targets', 'snapshot', 'timestamp');
    repository.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe(true);
    repository.versions[role] = 2;
    repository.write(role);
    if (role === 'targets') repository.publish('snapshot');
    if (role !== 'timestamp') repository.publish('timestamp');
    expect(await client.refresh()).toBe(false);
    expect(client.versions[role]).toBe(3);
  });

  it('that belong together are demanded: snapshot as timestamp has it, targets as snapshot has it', async () => {
    await client.refresh();
    repository.versions.snapshot = 3;
    repository.write('snapshot');
    const wrong = repository.files.get('metadata/3.snapshot.json') ?? new Uint8Array();
    repository.versions.snapshot = 2;
    repository.write('snapshot');
    repository.publish('timestamp');
    repository.files.set('metadata/2.snapshot.json', wrong);
    expect(await client.refresh()).toBe(false);
    expect(client.versions.snapshot).toBe(1);
  });

  it('of files that are signed but not the ones that were listed are not mixed', async () => {
    await client.refresh();
    repository.publish('targets', 'snapshot', 'timestamp');
    repository.expires.targets += DAY;
    repository.write('targets');
    expect(await client.refresh()).toBe(false);
    expect(client.versions.targets).toBe(1);
  });
});

describe('a repository that was led ahead by a thief is won back by other keys', () => {
  it('for the timestamp', async () => {
    repository.versions.timestamp = 99_999;
    repository.write('timestamp');
    await client.refresh();
    expect(client.versions.timestamp).toBe(99_999);
    repository.rotate('timestamp');
    repository.publish('root');
    repository.versions.timestamp = 1;
    repository.write('timestamp');
    expect(await client.refresh()).toBe(true);
    expect(client.versions.timestamp).toBe(1);
  });

  it('for the snapshot', async () => {
    repository.versions.snapshot = 99_999;
    repository.write('snapshot');
    repository.publish('timestamp');
    await client.refresh();
    repository.rotate('snapshot');
    repository.rotate('timestamp');
    repository.publish('root');
    repository.versions.snapshot = 1;
    repository.write('snapshot');
    repository.publish('timestamp');
    expect(await client.refresh()).toBe(true);
    expect(client.versions.snapshot).toBe(1);
  });

  it('for targets', async () => {
    repository.versions.targets = 99_999;
    repository.write('targets');
    repository.publish('snapshot', 'timestamp');
    await client.refresh();
    repository.rotate('snapshot');
    repository.publish('root');
    repository.versions.targets = 1;
    repository.write('targets');
    repository.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe(true);
    expect(client.versions.targets).toBe(1);
  });
});

describe('dates', () => {
  it('a root that has expired is followed and kept, and nothing is believed by it', async () => {
    await client.refresh();
    repository.publish('root');
    repository.expires.root = Date.now() - DAY;
    repository.publish('root', 'targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe(false);
    expect(client.versions).toEqual({ root: 3, targets: 1, snapshot: 1, timestamp: 1 });
    repository.expires.root = Date.now() + DAY;
    repository.publish('root');
    expect(await client.refresh()).toBe(true);
    expect(client.versions).toEqual({ root: 4, targets: 2, snapshot: 2, timestamp: 2 });
  });

  it.each(['timestamp', 'snapshot', 'targets'] as const)('a %s that has expired is not believed', async (role) => {
    await client.refresh();
    repository.expires[role] = Date.now() - DAY;
    repository.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe(false);
    expect(client.versions[role]).toBe(1);
  });

  it('what has expired on the device meanwhile still serves to go on from', async () => {
    repository.expires.timestamp = Date.now() + 7 * DAY;
    repository.publish('timestamp');
    await client.refresh();
    repository.expires.timestamp = Date.now() + 21 * DAY;
    repository.publish('targets', 'snapshot', 'timestamp');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 18 * DAY });
    expect(await client.refresh()).toBe(true);
    expect(client.versions).toMatchObject({ targets: 2, snapshot: 2, timestamp: 3 });
  });
});

describe('keys', () => {
  it('that are fewer than must sign leave the role unsigned, also where root lists more than have signed', async () => {
    const added = [generateRoleKey(), generateRoleKey()];
    repository.holders.snapshot = { keys: [...repository.signers.snapshot, ...added], threshold: 3 };
    repository.publish('root', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe(false);
    repository.signers.snapshot = repository.holders.snapshot.keys;
    repository.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe(true);
  });

  it('that cannot be as many as must sign stop everything', async () => {
    repository.holders.snapshot.threshold = 6;
    repository.publish('root', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe(false);
  });

  it('count once, however often they are listed', async () => {
    repository.versions.root = 2;
    repository.write('root', (bytes) => {
      const role = JSON.parse(text(bytes)) as {
        signed: { roles: { snapshot: { keyids: string[]; threshold: number } } };
        signatures: unknown[];
      };
      const { snapshot } = role.signed.roles;
      snapshot.keyids = [...snapshot.keyids, ...snapshot.keyids];
      snapshot.threshold = 2;
      role.signatures = [];
      const unsigned = JSON.stringify(role);
      try {
        return Buffer.from(countersignRole('root', unsigned, repository.signers.root));
      } catch {
        return Buffer.from(unsigned);
      }
    });
    repository.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe(false);
  });

  it('count once, also under two ids', async () => {
    const [key] = repository.signers.snapshot;
    if (!key) throw new Error('no key');
    const alias = { ...key, keyId: 'ab'.repeat(32) };
    repository.holders.snapshot = { keys: [key, alias], threshold: 2 };
    repository.publish('root', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe(false);
    expect(client.versions.root).toBe(1);
  });

  it('that were taken away speak for nothing, even where a thief holds back everything but the new root', async () => {
    await client.refresh();
    const old = new Map(repository.files);
    repository.rotate('timestamp');
    repository.publish('root');
    const heldBack: FirmwareSource = {
      read: async (path) =>
        path === 'metadata/2.root.json' ? repository.read(path) : new TufRepositoryFiles(old).read(path),
    };
    expect(await client.refresh(heldBack)).toBe(false);
    expect(client.versions.root).toBe(2);
    expect(await client.refresh(new TufRepositoryFiles(old))).toBe(false);
  });
});

/** What a repository once had. */
class TufRepositoryFiles implements FirmwareSource {
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  async read(path: string) {
    const bytes = this.#files.get(path);
    return (
      bytes &&
      (async function* () {
        yield bytes;
      })()
    );
  }
}

describe('lengths', () => {
  it.each(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json'])(
    'of %s are bounded: data without end is broken off',
    async (file) => {
      let sent = 0;
      const endless: FirmwareSource = {
        read: async (path) => {
          if (path !== `metadata/${file}`) return repository.read(path);
          return (async function* () {
            for (;;) {
              sent += 65_536;
              yield Buffer.alloc(65_536, 0x20);
            }
          })();
        },
      };
      expect(await client.refresh(endless)).toBe(false);
      expect(sent).toBeLessThan(6_000_000);
    },
  );

  it('of roots are bounded in number: a repository that never ends is left and taken up again', {
    timeout: 120_000,
  }, async () => {
    for (let version = 2; version <= 300; version++) repository.publish('root');
    await client.refresh();
    expect(client.versions.root).toBe(257);
    expect(repository.requests.filter((path) => path.endsWith('root.json'))).toHaveLength(256);
    expect(await client.refresh()).toBe(true);
    expect(client.versions.root).toBe(300);
  });
});
