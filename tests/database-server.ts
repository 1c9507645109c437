import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from './free-port.ts';

const ADMINISTRATOR = 'administrator-of-the-database';
const READER_PASSWORD = 'reads-grants-only';

/** A real PostgreSQL with a table of grants, on a port of loopback. */
export interface DatabaseServer {
  readonly port: number;
  /** Of the role `reader`, which may read the table and no more. */
  readonly passwordFile: string;
  /** As the administrator. */
  run(statement: string, values?: readonly unknown[]): Promise<readonly unknown[]>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package has made. */
function owner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export async function databaseServer(programs: Readonly<Record<string, string>>): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pg-'));
  const user = owner();
  if (user) chownSync(folder, user.uid, user.gid);
  const passwordOf = join(folder, 'administrator.password');
  writeFileSync(passwordOf, ADMINISTRATOR, { mode: 0o644 });
  const data = join(folder, 'data');
  const options = ['-D', data, '-U', 'administrator', '-A', 'scram-sha-256', `--pwfile=${passwordOf}`, '-E', 'UTF8'];
  execFileSync(programs.initdb ?? '', [...options, '--no-sync', '--locale=C'], {
    ...user,
    cwd: folder,
    stdio: 'ignore',
  });
  const port = await freePort();
  let running: ChildProcess | undefined;

  async function connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({
      host: '127.0.0.1',
      port,
      user: 'administrator',
      password: ADMINISTRATOR,
      database: 'postgres',
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
  const start = async () => {
    const settings = ['-h', '127.0.0.1', '-p', String(port), '-k', folder, '-c', 'fsync=off'];
    running = spawn(programs.postgres ?? '', ['-D', data, ...settings], { ...user, cwd: folder, stdio: 'ignore' });
    for (;;) {
      if (await connected(() => Promise.resolve(true)).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const stop = async () => {
    const process = running;
    running = undefined;
    if (!process) return;
    const gone = new Promise((resolve) => process.once('exit', resolve));
    // SIGINT: fast shutdown, which ends open connections.
    process.kill('SIGINT');
    await gone;
  };
  await start();
  await connected(async (client) => {
    await client.query('create table grants (principal text not null, grant_text text not null)');
    await client.query(`create role reader login password '${READER_PASSWORD}'`);
    await client.query('grant select on grants to reader');
  });
  const passwordFile = join(folder, 'reader.password');
  writeFileSync(passwordFile, `${READER_PASSWORD}\n`, { mode: 0o600 });
  return {
    port,
    passwordFile,
    start,
    stop,
    run: (statement, values = []) =>
      connected(async (client) => (await client.query(statement, [...values])).rows as readonly unknown[]),
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
