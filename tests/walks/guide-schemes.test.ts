import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { describeWith, PKCS11_ENGINE } from '../programs.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

/*
 * Follows the pages about how programs prove themselves as a reader would: types in their lines, and runs device and application side by side.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describeWith(['bash', 'openssl'], 'the page about', ({ bash = '' }) => {
  let server: RunningProgram;
  let data: string;
  let folder: string;
  let ports: { readonly mqttPort: number; readonly httpPort: number; readonly enrolmentPort: number };
  const running: RunningProgram[] = [];
  /** Applications that the reader has added. */
  let names: string[] = [];

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'sallyport-schemes-'));
    writeFileSync(
      join(data, 'sallyport.yaml'),
      'authorizationServer:\n  organisations: [demo]\nlisteners:\n  enrolment:\n    enabled: true\n    port: 0\n',
    );
    mkdirSync(join(data, 'bin'));
    writeFileSync(join(data, 'bin', 'npx'), `#!/bin/sh\nshift\nexec ${process.execPath} ${SALLYPORT} "$@"\n`);
    chmodSync(join(data, 'bin', 'npx'), 0o755);
    const place = ['--data-dir', join(data, 'sallyport-data'), '--mqtt-port', '0', '--http-port', '0'];
    const settings = ['--config', join(data, 'sallyport.yaml')];
    server = new RunningProgram(process.execPath, [SALLYPORT, 'demonstrate', ...place, ...settings]);
    await server.says('Ctrl-C ends it.');
    ports = JSON.parse(readFileSync(join(data, 'sallyport-data', 'server.json'), 'utf8')) as typeof ports;
  }, 240_000);
  afterEach(async () => {
    for (const program of running.splice(0)) await program.end('SIGKILL');
    for (const id of names) await shell(`npx sallyport application remove ${id}`);
    names = [];
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(async () => {
    await server.end('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  });

  /** A page, with a folder of its reader's in which its lines are typed in. */
  function open(name: string): string {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-reader-'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    symlinkSync(join(data, 'sallyport-data'), join(folder, 'sallyport-data'));
    return readFileSync(join(ROOT, 'docs', 'guide', name), 'utf8');
  }

  /** Runs a line of a shell in the reader's folder. */
  async function shell(line: string) {
    const program = new RunningProgram(bash, ['-c', `cd ${folder} && export PATH=${data}/bin:$PATH && ${line}`]);
    return { exitCode: await program.exited, out: program.out, err: program.err };
  }

  /** Types in the lines of a block; the first is the first of the section. */
  async function type(page: string, block: number): Promise<void> {
    const lines = [...page.matchAll(/```console\n([\s\S]*?)```/g)][block]?.[1] ?? '';
    expect(lines).toContain('$ ');
    for (const line of lines.split('\n').filter((each) => each.startsWith('$ '))) {
      expect(await shell(line.slice(2)), line).toMatchObject({ exitCode: 0 });
      names.push(...(/sallyport application add (\w+)/.exec(line)?.slice(1) ?? []));
    }
  }

  /** Starts a program of a page, and types in what a line of the shell writes. Ports are the one thing that differs from what the reader has. */
  function start(page: string, name: string, typing = 'true'): RunningProgram {
    const [, body = ''] = new RegExp(`\`\`\`js\\n// ${name}\\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
    expect(body).not.toBe('');
    const text = body
      .replaceAll("host: 'localhost',", `host: 'localhost', port: ${ports.mqttPort},`)
      .replaceAll('https://localhost:8443', `https://localhost:${ports.httpPort}`)
      .replaceAll('https://localhost:8444', `https://localhost:${ports.enrolmentPort}`);
    writeFileSync(join(folder, name), text);
    const trusting = 'NODE_EXTRA_CA_CERTS=sallyport-data/pki/root.pem';
    const line = `cd ${folder} && exec env ${trusting} ${process.execPath} ${name} < <(${typing})`;
    const program = new RunningProgram(bash, ['-c', line]);
    running.push(program);
    return program;
  }

  it('tokens holds, also when there is a new one', { timeout: 300_000 }, async () => {
    const page = open('sdk-token.md');
    await type(page, 0);
    const pump = start(page, 'pump.mjs');
    await pump.says('listening');
    const panel = start(page, 'panel.mjs');
    expect(await panel.exited).toBe(0);
    expect(panel.out).toBe('heard { temperature: 21 }\n');
    await pump.says('blink { times: 3 }');
    await type(page, 1);
    // The program stops: its token is no longer good. What it publishes rejects.
    expect(await pump.exited).not.toBe(null);
    expect(pump.err).toContain('connection_');
  });

  it.each(['sdk-password.md', 'sdk-scram.md'])('passwords holds: %s', { timeout: 300_000 }, async (name) => {
    const page = open(name);
    await type(page, 0);
    const pump = start(page, 'pump.mjs');
    await pump.says('listening');
    const panel = start(page, 'panel.mjs');
    expect(await panel.exited, panel.err).toBe(0);
    await pump.says('blink { times: 3 }');
  });

  it('certificates holds, and renews one', { timeout: 300_000 }, async () => {
    const page = open('sdk-certificate.md');
    await type(page, 0);
    const before = readFileSync(join(folder, 'pump-8.pem'), 'utf8');
    const pump = start(page, 'pump.mjs');
    await pump.says('listening');
    const panel = start(page, 'panel.mjs');
    expect(await panel.exited, panel.err).toBe(0);
    await pump.says('renewed: certificate');
    expect(readFileSync(join(folder, 'pump-8.pem'), 'utf8')).not.toBe(before);
    // And the next start comes with the new one.
    await pump.end('SIGKILL');
    await start(page, 'pump.mjs').says('listening');
  });

  it('access tokens holds, for a device that its owner approves too', { timeout: 300_000 }, async () => {
    const page = open('sdk-access-token.md');
    await type(page, 0);
    const pump = start(page, 'pump.mjs');
    await pump.says('approve with: ');
    const line = /approve with: (.+)\n/.exec(pump.out)?.[1] ?? '';
    expect(await shell(line)).toMatchObject({ exitCode: 0 });
    await pump.says('listening');
    const panel = start(page, 'panel.mjs');
    expect(await panel.exited, panel.err).toBe(0);
    await pump.says('blink { times: 3 }');
    expect(panel.out).toBe('heard { temperature: 21 }\n');
  });

  it('one-time codes holds', { timeout: 300_000 }, async () => {
    const page = open('one-time-code.md');
    await type(page, 0);
    const courier = start(page, 'courier.mjs');
    await courier.says('listening');
    const pump = start(page, 'pump.mjs', 'for n in {1..500}; do [ -s code ] && cat code && break; sleep 0.2; done');
    await pump.says('tries left');
    await courier.says('for the owner of device:demo/pump/pump-8: ');
    const code = /pump-8: (\d{6})/.exec(courier.out)?.[1] ?? '';
    writeFileSync(join(folder, 'code'), `${code}\n`);
    await pump.says('unlocked');
    await type(page, 1);
  });

  describeWith(['softhsm2-util', 'pkcs11-tool', PKCS11_ENGINE], 'keys in hardware', () => {
    beforeAll(() => {
      const tokens = join(data, 'tokens');
      mkdirSync(tokens);
      const settings = join(data, 'softhsm2.conf');
      writeFileSync(settings, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
      vi.stubEnv('SOFTHSM2_CONF', settings);
    });
    afterAll(() => void vi.unstubAllEnvs());

    it('holds: one signs handshakes, the other statements, and neither leaves its token', {
      timeout: 300_000,
    }, async () => {
      const page = open('sdk-hardware-key.md');
      for (const block of [0, 1, 2]) await type(page, block);
      const pump = start(page, 'pump.mjs');
      await pump.says('listening');
      const panel = start(page, 'panel.mjs');
      expect(await panel.exited, panel.err).toBe(0);
      expect(panel.out).toBe('heard { temperature: 21 }\n');
      await pump.says('blink { times: 3 }');
    });
  });
});
