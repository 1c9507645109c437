import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

/* Follows the two pages of the guide as a reader would: types in their lines and runs their programs. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const guide = (name: string) => readFileSync(join(ROOT, 'docs', 'guide', name), 'utf8');

let folder: string;
let server: RunningProgram;
let mqttPort: number;
const running: RunningProgram[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-guide-'));
  // The reader is in the clone: npx and the SDKs are found.
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'npx'), `#!/bin/sh\nshift\nexec ${process.execPath} ${SALLYPORT} "$@"\n`);
  chmodSync(join(folder, 'bin', 'npx'), 0o755);
  const place = ['--data-dir', join(folder, 'sallyport-data'), '--mqtt-port', '0', '--http-port', '0'];
  server = new RunningProgram(process.execPath, [SALLYPORT, 'demonstrate', ...place]);
  await server.says('Ctrl-C ends it.');
  const file = JSON.parse(readFileSync(join(folder, 'sallyport-data', 'server.json'), 'utf8')) as { mqttPort: number };
  ({ mqttPort } = file);
}, 240_000);
afterEach(async () => {
  for (const program of running.splice(0)) await program.end('SIGKILL');
  for (const file of ['pump-8.identity.json', 'pump-8.memory', 'pump-8.memory.generation']) {
    rmSync(join(folder, file), { force: true });
  }
});
afterAll(async () => {
  await server.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Runs lines of a shell in the reader's folder. */
async function shell(lines: string) {
  const program = new RunningProgram('bash', ['-c', `cd ${folder} && export PATH=${folder}/bin:$PATH && ${lines}`]);
  return { exitCode: await program.exited, out: program.out, err: program.err };
}

/** The lines under `$` of a page, in their order. */
function commands(page: string): string[] {
  return [...page.matchAll(/```console\n([\s\S]*?)```/g)]
    .flatMap(([, block = '']) => block.split('\n'))
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2));
}

/** Starts a program of a page. */
async function start(page: string, name: string, application = ''): Promise<RunningProgram> {
  const [, body = ''] = new RegExp(`\`\`\`js\\n// ${name}\\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
  expect(body).not.toBe('');
  // The one thing that differs from what the reader has: this server listens on a port of its own.
  writeFileSync(join(folder, name), body.replaceAll("host: 'localhost',", `host: 'localhost', port: ${mqttPort},`));
  const { out } =
    application === '' ? { out: '{}' } : await shell(`npx sallyport application show ${application} --json`);
  const { key = '' } = JSON.parse(out) as { key?: string };
  const program = new RunningProgram('bash', [
    '-c',
    `cd ${folder} && APPLICATION_KEY=${key} DEVICE_SECRET=${'ab'.repeat(32)} exec ${process.execPath} ${name}`,
  ]);
  running.push(program);
  return program;
}

describe('the page about signed commands', () => {
  const page = guide('signed-commands.md');

  it('holds from identity to refusal, and through new keys', { timeout: 400_000 }, async () => {
    const lines = commands(page);
    for (const line of lines.slice(0, 3)) expect(await shell(line)).toMatchObject({ exitCode: 0 });
    const pump = await start(page, 'pump.mjs');
    await pump.says('listening');
    const desk = await start(page, 'control.mjs', 'control');
    await pump.says('application:demo/control asks: restart { delay: 5 }');
    await pump.says('invalid erase not_permitted');
    await desk.says('pump-8 refused: not_permitted');
    expect(lines).toContain('npx sallyport type set pump --commands signed');
    const { out } = await shell('npx sallyport application identity show control --json');
    const before = (JSON.parse(out) as { keyId: string }[])[0]?.keyId ?? '';
    for (const line of lines.slice(3)) {
      expect(await shell(line.replace('OLD-KEY', before)), line).toMatchObject({ exitCode: 0 });
    }
    const again = pump.out.length;
    await (await start(page, 'control.mjs', 'control')).says('pump-8 refused: not_permitted');
    expect(pump.out.slice(again)).toContain('asks: restart { delay: 5 }');
  });

  it('holds for devices in the field', { timeout: 120_000 }, async () => {
    const field = await start(page, 'field.mjs', 'control');
    expect(await field.exited).toBe(0);
  });
});

describe('the page about payload encryption', () => {
  const page = guide('payload-encryption.md');

  it('holds in both directions, also where the server demands it', { timeout: 400_000 }, async () => {
    const lines = commands(page);
    for (const line of lines.slice(0, 4)) expect(await shell(line), line).toMatchObject({ exitCode: 0 });
    const pump = await start(page, 'pump.mjs');
    await pump.says('listening');
    const desk = await start(page, 'plant.mjs', 'plant');
    await pump.says('asked: open { code: 1234 }');
    await desk.says('pump-8 reading { level: 42 } sealed');
    for (const line of lines.slice(4)) expect(await shell(line), line).toMatchObject({ exitCode: 0 });
    await pump.end('SIGKILL');
    await (await start(page, 'pump.mjs')).says('listening');
    await (await start(page, 'plant.mjs', 'plant')).says('pump-8 reading { level: 42 } sealed');
  });

  it('holds for devices in the field', { timeout: 120_000 }, async () => {
    const field = await start(page, 'field.mjs');
    expect(await field.exited).toBe(0);
  });
});
