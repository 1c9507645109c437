import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { Placement, surroundings } from '../workers.ts';

const WORKER = fileURLToPath(new URL('../../packages/server/dist/workers/worker-process.js', import.meta.url));
const LINUX = process.platform === 'linux';

let server: TestServer;
let pids: number[];
beforeEach(async () => {
  process.env.SALLYPORT_SECRET_OF_THE_TEST = 'do-not-pass-this-on';
  server = await testServer({ workers: 2 });
  pids = [...(await new Placement(server).processes()).values()];
});
afterEach(async () => {
  delete process.env.SALLYPORT_SECRET_OF_THE_TEST;
  await server.close();
});

describe('worker processes', () => {
  it.runIf(LINUX)('show no key and no token to who looks at their arguments and surroundings', () => {
    expect(pids).toHaveLength(2);
    const secrets = [
      server.operatorToken,
      readFileSync(join(server.directory, 'token.key')).toString('latin1'),
      'PRIVATE KEY',
      'do-not-pass-this-on',
      server.directory,
    ];
    for (const pid of pids) {
      const { argv, env } = surroundings(pid);
      for (const secret of secrets) {
        expect(argv).not.toContain(secret);
        expect(env).not.toContain(secret);
      }
    }
  });

  it.runIf(LINUX)('have nothing in the file system through which somebody could speak with them', () => {
    const sockets = readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .filter((line) => line.includes('/bus-'));
    expect(sockets.filter((line) => line.includes('00010000'))).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('bus-'))).toEqual([]);
  });

  it.runIf(LINUX)('listen on no port of their own', () => {
    const own = new Set<string>();
    for (const pid of pids) {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) own.add(linkOf(pid, fd));
    }
    const inodes = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .filter((line) => line.includes(' 0A '))
      .map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`);
    expect(inodes.filter((inode) => own.has(inode))).toEqual([]);
  });

  it('end at once when somebody else starts them', async () => {
    const stranger = spawn(process.execPath, [WORKER], { stdio: 'ignore' });
    const [code] = (await once(stranger, 'exit')) as [number | null];
    expect(code).not.toBeNull();
  });
});

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}
