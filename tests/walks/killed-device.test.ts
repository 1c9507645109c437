import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot, Flash } from '@sallyport/device/firmware';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';
import { SALLYPORT } from './sallyport-process.ts';

/** How often the process is killed; more with SALLYPORT_KILLS=100. */
const KILLS = Number(process.env.SALLYPORT_KILLS ?? 4);
const PRELOAD = new URL('dying-preload.mjs', import.meta.url).href;

describe('the process of a simulated device that is killed in the midst of an update', () => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await testServer();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-killed-'));
    writeFileSync(join(folder, 'token'), `${server.tokens['pump-7']}\n`, { mode: 0o600 });
    await server.api.firmware.initialise('demo');
    await released(server, someImage(150_000), { version: '1.0.0', minimumSequence: 0 });
    const made = await run('template');
    expect(made.code, made.said).toBe(0);
    await released(server, someImage(150_000), { version: '1.1.0', minimumSequence: 0 });
  }, 120_000);
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const place = (name: string) => join(folder, name);
  const started = (name: string) => boot({ flash: new Flash(place(name)), now: Date.now });

  /** Lets the device look for firmware and send one reading; with a write it dies in that one. */
  async function run(name: string, dying: { readonly write?: number; readonly share?: number } = {}) {
    const args = ['simulate', 'device', 'demo/pump/pump-7', '--token-file', place('token')];
    const options = ['--flash', place(name), '--update', '--count', '1', '--every', '200ms'];
    const child = spawn(
      process.execPath,
      ['--import', PRELOAD, SALLYPORT, ...args, ...options, '--data-dir', server.directory],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          CI: '1',
          DYING_FOLDER: place(name),
          ...(dying.write === undefined ? {} : { DYING_WRITE: String(dying.write), DYING_SHARE: String(dying.share) }),
        },
      },
    );
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal, writes: Number(/WRITES (\d+)/.exec(said)?.[1]), said };
  }

  it(
    `starts a whole image afterwards, and comes to the newest (${KILLS} times, at random bytes)`,
    async () => {
      cpSync(place('template'), place('whole'), { recursive: true });
      const { code, writes, said } = await run('whole');
      expect(code, said).toBe(0);
      expect(started('whole').version).toBe('1.1.0');
      expect(writes).toBeGreaterThan(20);
      for (let kill = 0; kill < KILLS; kill++) {
        const name = `kill-${kill}`;
        cpSync(place('template'), place(name), { recursive: true });
        const dying = { write: randomInt(1, writes + 1), share: randomInt(0, 1_001) / 1_000 };
        const where = `killed in write ${dying.write} of ${writes}, ${dying.share} of it done`;
        expect((await run(name, dying)).signal, where).toBe('SIGKILL');
        const after = started(name);
        expect(after.outcome, where).not.toBe('stopped');
        expect(['1.0.0', '1.1.0'], where).toContain(after.version);
        const again = await run(name);
        expect(again.code, `${where}: ${again.said}`).toBe(0);
        expect(started(name), where).toMatchObject({ outcome: 'booted', version: '1.1.0' });
        rmSync(place(name), { recursive: true, force: true });
      }
    },
    120_000 + KILLS * 60_000,
  );
});
