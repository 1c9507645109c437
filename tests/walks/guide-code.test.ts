import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

/*
 * The programs of the guide of the SDKs, as they are printed, against a server. Only what a reader's server has and this one cannot have is put
 * in: the ports.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GUIDE = readFileSync(join(ROOT, 'docs', 'guide', 'sdk.md'), 'utf8');

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await testServer();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-guide-'));
  const data = join(folder, 'sallyport-data');
  mkdirSync(join(data, 'pki'), { recursive: true });
  mkdirSync(join(data, 'demo'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const files = {
    'sallyport-data/pki/root.pem': server.rootPem,
    'sallyport-data/operator.token': server.operatorToken,
    'sallyport-data/demo/pump-8.token': server.tokens['pump-8'] ?? '',
    'sallyport-data/demo/desk.token': server.tokens.desk ?? '',
    'desk.key': server.keys.desk ?? '',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The program under a heading of the guide. */
function programUnder(heading: string): string {
  const [, section = ''] = new RegExp(`^## ${heading}$(.*?)(?=^## |(?![^]))`, 'ms').exec(GUIDE) ?? [];
  const code = /^```js\n(.*?)^```$/ms.exec(section)?.[1];
  if (code === undefined) throw new Error(`no program under "${heading}"`);
  return code;
}

/** Runs a program of the guide to its end. */
async function run(code: string) {
  const path = join(folder, `program-${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(
    path,
    code
      .replaceAll("host: 'localhost'", `host: 'localhost', port: ${server.port}`)
      .replaceAll('https://localhost:8443', `https://localhost:${server.httpPort}`),
  );
  const child = spawn(process.execPath, [path], { cwd: folder, stdio: 'pipe' });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { exitCode, printed };
}

describe('a program of the guide', () => {
  it.each(['Three lines to a safe connection', 'Events that must not be lost'])(
    'runs to its end: %s',
    async (heading) => {
      const { exitCode, printed } = await run(programUnder(heading));
      expect(printed).toBe('');
      expect(exitCode).toBe(0);
    },
  );

  it('hears commands, and ends when its device is suspended', async () => {
    const pump8 = { organisation: 'demo', type: 'pump', id: 'pump-8' };
    const suspend = async () => {
      const listens = async () => (await server.api.sessions.list('demo')).items.some((one) => one.subscriptions === 1);
      while (!(await listens()));
      await server.api.devices.suspend(pump8);
    };
    const suspended = suspend();
    const { printed } = await run(programUnder('Commands, breaks, the end'));
    await suspended;
    expect(printed).toContain('ended for good:');
    await server.api.devices.resume(pump8);
  });

  it('gets what a device answers', async () => {
    expect(await run(programUnder('Requests'))).toEqual({ exitCode: 0, printed: '42\n' });
  });

  it('says why it was refused', async () => {
    const { printed } = await run(programUnder('When it is refused'));
    expect(printed).toMatch(/^connection_refused [0-9A-Z]{6} localhost:\d+ refused the connection: not authorized/);
  });

  it('lists devices over the API', async () => {
    expect((await run(programUnder('The API'))).printed).toContain('d:demo:pump:pump-8');
  });
});
