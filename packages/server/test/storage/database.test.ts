import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure } from '@sallyport/model';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { betterSqlite3, nodeSqlite, sqliteBinding } from '../../src/storage/binding.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { MIGRATIONS } from '../../src/storage/migrations.ts';
import { temporaryFolder } from './temporary-folder.ts';

const binding = await sqliteBinding();
const native = await betterSqlite3().catch(() => undefined);
const own = nodeSqlite();

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw error instanceof Error ? error : new Error('it did not fail');
}

function newOrganisation(id: string) {
  return { id, name: id, security: 'tls-token', created_at: 1, suspended_at: null };
}

for (const [name, driver] of [
  ['node:sqlite', own],
  ['better-sqlite3', native],
] as const) {
  // Each runtime has one of the two at least; the other is tried where it is.
  if (driver === undefined) continue;
  describe(`a database over ${name}`, () => {
    const open = (path: string) => openDatabase(path, { binding: driver });

    it('keeps what was committed and nothing of what was rolled back', async () => {
      const path = join(temporaryFolder(), 'registry.db');
      const first = await open(path);
      await first.transaction((t) => t.insertInto('organisations').values(newOrganisation('kept')).execute());
      const broken = first.transaction(async (t) => {
        await t.insertInto('organisations').values(newOrganisation('lost')).execute();
        throw new Error('no');
      });
      await expect(broken).rejects.toThrow('no');
      await first.close();

      const second = await open(path);
      expect(await second.query.selectFrom('organisations').select('id').execute()).toEqual([{ id: 'kept' }]);
      await second.close();
    });

    it('gives bytes, numbers and null back, and counts changed rows', async () => {
      const database = await open(join(temporaryFolder(), 'registry.db'));
      const row = {
        id: 'c1',
        principal: 'operator:ann',
        kind: 'token',
        username: null,
        token_hash: Buffer.from([0, 255, 7]),
        password_hash: null,
        created_at: 1_790_000_000_123,
        created_by: 'system',
        expires_at: null,
        revoked_at: null,
        revoked_by: null,
      };
      await database.query.insertInto('credentials').values(row).execute();
      const read = await database.query.selectFrom('credentials').selectAll().executeTakeFirstOrThrow();
      expect(Buffer.from(read.token_hash ?? [])).toEqual(row.token_hash);
      expect(read).toMatchObject({ created_at: row.created_at, username: null });
      const changed = await database.query.updateTable('credentials').set({ revoked_at: 5 }).executeTakeFirst();
      expect(Number(changed.numUpdatedRows)).toBe(1);
      await database.close();
    });

    it('writes ahead, waits for the disk at each commit, and minds foreign keys', async () => {
      const database = await open(join(temporaryFolder(), 'registry.db'));
      const pragma = async (setting: string) =>
        Object.values((await sql.raw(`pragma ${setting}`).execute(database.query)).rows[0] as object)[0];
      expect(await pragma('journal_mode')).toBe('wal');
      expect(await pragma('synchronous')).toBe(2);
      expect(await pragma('foreign_keys')).toBe(1);
      const orphan = { organisation: 'none', id: 'a', class: 'device', created_at: 1 };
      await expect(
        database.query
          .insertInto('device_types')
          .values({ ...orphan, description: null, security: null, metadata: null })
          .execute(),
      ).rejects.toThrow(/FOREIGN KEY/);
      await database.close();
    });

    it('fails with store_unavailable when the disk does not take a write, and goes on when it does', async () => {
      const database = await open(join(temporaryFolder(), 'registry.db'));
      await sql`pragma query_only = 1`.execute(database.query);
      const write = () => database.query.insertInto('organisations').values(newOrganisation('demo')).execute();
      expect((await failureOf(write())).code).toBe('store_unavailable');
      await sql`pragma query_only = 0`.execute(database.query);
      await write();
      await database.close();
    });

    it('says store_unavailable, not what became of the rollback, when the disk is full at a commit', async () => {
      const database = await open(join(temporaryFolder(), 'registry.db'));
      await sql`pragma max_page_count = 60`.execute(database.query);
      const filled = database.transaction(async (t) => {
        for (let i = 0; i < 2000; i++) {
          await t
            .insertInto('organisations')
            .values({ ...newOrganisation(`o${i}`), name: 'x'.repeat(1000) })
            .execute();
        }
      });
      expect((await failureOf(filled)).code).toBe('store_unavailable');
      await sql`pragma max_page_count = 1000000`.execute(database.query);
      await database.transaction((t) => t.insertInto('organisations').values(newOrganisation('demo')).execute());
      await database.close();
    });

    it('refuses a file that is not a database and names it', async () => {
      const path = join(temporaryFolder(), 'registry.db');
      writeFileSync(path, 'This is a letter to my grandmother. '.repeat(200));
      const failure = await failureOf(open(path));
      expect(failure.code).toBe('database_damaged');
      expect(failure.message).toContain(path);
      expect(failure.cure).toContain('backup');
      expect(readFileSync(path, 'utf8')).toContain('grandmother');
    });

    it('refuses a database with damaged pages', async () => {
      const path = join(temporaryFolder(), 'registry.db');
      const database = await open(path);
      for (let i = 0; i < 300; i++) {
        await database.query
          .insertInto('organisations')
          .values(newOrganisation(`organisation${i}`))
          .execute();
      }
      await database.close();
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(8000, 0x5a), 0, 8000, 4096 * 2);
      closeSync(file);
      expect((await failureOf(open(path))).code).toBe('database_damaged');
    });

    it('refuses a database that was cut off', async () => {
      const path = join(temporaryFolder(), 'registry.db');
      await (await open(path)).close();
      truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096);
      expect((await failureOf(open(path))).code).toBe('database_damaged');
    });
  });
}

describe('openDatabase', () => {
  it('makes folder and files that only the owner can read', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'registry.db');
    const database = await openDatabase(path);
    await database.query.insertInto('organisations').values(newOrganisation('demo')).execute();
    for (const file of [path, `${path}-wal`, `${path}-lock`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    await database.close();
  });

  it('refuses a folder that is no folder, and a database that is one', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'registry.db'));
    for (const path of [join(folder, 'file', 'registry.db'), join(folder, 'registry.db')]) {
      const failure = await failureOf(openDatabase(path));
      expect(failure.code).toBe('data_directory_unusable');
      expect(failure.message).toContain(path);
    }
  });

  it('refuses a database of a newer version and leaves it as it is', async () => {
    const path = join(temporaryFolder(), 'registry.db');
    const newer = await openDatabase(path, { migrations: [...MIGRATIONS, async () => {}] });
    await newer.close();
    const failure = await failureOf(openDatabase(path));
    expect(failure.code).toBe('database_too_new');
    await (await openDatabase(path, { migrations: [...MIGRATIONS, async () => {}] })).close();
  });

  it('brings an older database to the newest schema, or leaves it wholly as it was', async () => {
    const path = join(temporaryFolder(), 'registry.db');
    const addColumn = async (schema: Parameters<(typeof MIGRATIONS)[0]>[0]) => {
      await schema.schema.alterTable('organisations').addColumn('colour', 'text').execute();
    };
    await (await openDatabase(path)).close();
    const fails = async (schema: Parameters<typeof addColumn>[0]) => {
      await addColumn(schema);
      throw new Error('half way');
    };
    await expect(openDatabase(path, { migrations: [...MIGRATIONS, fails] })).rejects.toThrow('half way');
    const upgraded = await openDatabase(path, { migrations: [...MIGRATIONS, addColumn] });
    const columns = await sql<{ name: string }>`pragma table_info(organisations)`.execute(upgraded.query);
    expect(columns.rows.map((row) => row.name)).toContain('colour');
    await upgraded.close();
  });

  it('keeps a second opening of the same database out until the first is closed', async () => {
    const path = join(temporaryFolder(), 'registry.db');
    const first = await openDatabase(path);
    expect((await failureOf(openDatabase(path))).code).toBe('data_directory_in_use');
    await first.close();
    await (await openDatabase(path)).close();
  });

  it('keeps other processes out for as long as one lives, and lets them in after kill -9', async () => {
    const path = join(temporaryFolder(), 'registry.db');
    const child = holdInAnotherProcess(path);
    await once(createInterface({ input: child.stdout }), 'line');
    const failure = await failureOf(openDatabase(path));
    expect(failure.code).toBe('data_directory_in_use');
    expect(failure.message).toContain(path);

    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await openDatabase(path)).close();
  });
});

/** The lock alone, in plain JavaScript: a child cannot read our TypeScript. */
function holdInAnotherProcess(path: string) {
  const program =
    binding.name === 'node:sqlite'
      ? `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync(${JSON.stringify(`${path}-lock`)});`
      : `const db = require('better-sqlite3')(${JSON.stringify(`${path}-lock`)});`;
  return spawn(
    process.execPath,
    ['-e', `${program} db.exec('begin exclusive'); console.log('held'); setInterval(() => {}, 1000);`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}
