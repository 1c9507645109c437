import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfiguration, startServer } from '@sallyport/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let parent: string;
let directory: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sallyport-modes-'));
  directory = join(parent, 'data');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const start = () =>
  startServer({
    configuration: loadConfiguration({
      overrides: {
        dataDirectory: directory,
        'listeners.mqttTls.port': 0,
        'listeners.http.port': 0,
        'log.level': 'silent',
      },
    }),
  });

/** Files and folders that others than the owner can touch in any way. */
function open(): string[] {
  const all = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return ['', ...all].filter((name) => (statSync(join(directory, name)).mode & 0o077) !== 0);
}

/** What holds a secret or its hash. */
const SECRET = /(\.key|-key\.pem|operator\.token|registry\.db(-wal|-shm)?)$/;

describe.each([0o000, 0o022, 0o077])('under a umask of %s', (mask) => {
  it('nothing of the data directory is open to others, while the server runs and after', async () => {
    const before = process.umask(mask);
    try {
      const server = await start();
      await server.registry.organisations.create({ id: 'demo', by: 'system' });
      const found = open();
      // Certificates are public; the folder keeps others off them all the same.
      expect(found.filter((name) => !name.endsWith('.pem') || /key/.test(name))).toEqual([]);
      await server.close();
      expect(open().filter((name) => SECRET.test(name))).toEqual([]);
      expect(statSync(directory).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });
});

it('files with secrets are private in a folder that was there before and is open to all', async () => {
  mkdirSync(directory, { mode: 0o755 });
  const before = process.umask(0);
  try {
    const server = await start();
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => SECRET.test(name));
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const name of files) expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600]);
    await server.close();
  } finally {
    process.umask(before);
  }
});

describe('a start is refused', () => {
  it.each(['token.key', 'pki/server-key.pem', 'pki/root-key.pem', 'pki/intermediate-key.pem'])(
    'if others can read %s',
    async (name) => {
      await (await start()).close();
      const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      const found = names.find((one) => one.endsWith(name.replace(/^pki\//, '')) || keyOf(one) === keyOf(name));
      expect(found, names.join()).toBeDefined();
      for (const mode of [0o640, 0o604, 0o620]) {
        chmodSync(join(directory, found ?? ''), mode);
        await expect(start()).rejects.toMatchObject({
          code: 'key_material_invalid',
          cure: expect.stringContaining('chmod'),
        });
      }
      chmodSync(join(directory, found ?? ''), 0o600);
      await (await start()).close();
    },
  );

  it('if others can put files among the keys', async () => {
    await (await start()).close();
    chmodSync(join(directory, 'pki'), 0o777);
    await expect(start()).rejects.toMatchObject({ code: 'key_material_invalid' });
  });
});

/** `root` of `pki/root.key` and of `pki/root-key.pem`. */
function keyOf(path: string): string {
  return /key/.test(path)
    ? `${dirname(path)}/${path
        .split('/')
        .at(-1)
        ?.replace(/[-.]key.*$/, '')}`
    : path;
}
