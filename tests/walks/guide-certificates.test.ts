import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfiguration, type RunningServer, startServer } from '@sallyport/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../programs.ts';
import { SALLYPORT } from './sallyport-process.ts';

/*
 * The commands of one section of the guide, typed in as they are printed. Only what a reader's server has and this one cannot have is put in:
 * the port.
 */

const GUIDE = readFileSync(
  join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'guide', 'certificates.md'),
  'utf8',
);
const PATIENCE = 300_000;

/** The commands under a heading, block after block. */
function commandsUnder(heading: string): string[][] {
  const [, section = ''] = new RegExp(`^## ${heading}$(.*?)(?=^## |(?![^]))`, 'ms').exec(GUIDE) ?? [];
  return [...section.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = '']) =>
    block
      .replaceAll('\\\n', '')
      .split('\n')
      .filter((line) => line !== ''),
  );
}

describeWith(
  ['openssl', 'mosquitto_pub', 'bash'],
  'the guide of certificates',
  ({ openssl = '', mosquitto_pub = '', bash = '' }) => {
    let server: RunningServer;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sallyport-guide-'));
      const bin = join(folder, 'bin');
      mkdirSync(bin);
      writeFileSync(join(bin, 'sallyport'), `#!/bin/sh\nexec "${process.execPath}" "${SALLYPORT}" "$@"\n`);
      chmodSync(join(bin, 'sallyport'), 0o755);
      server = await startServer({
        configuration: loadConfiguration({
          overrides: {
            dataDirectory: join(folder, 'sallyport-data'),
            'listeners.mqttTls.port': 0,
            'listeners.http.port': 0,
            'log.level': 'silent',
          },
        }),
      });
    });
    afterAll(async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    });

    // The server runs in this process, so the commands must not hold it up.
    async function type(command: string): Promise<{ readonly code: number | null; readonly said: string }> {
      const path = [join(folder, 'bin'), dirname(openssl), dirname(mosquitto_pub), process.env.PATH].join(delimiter);
      const child = spawn(bash, ['-c', command.replaceAll('-p 8883', `-p ${server.mqttPort}`)], {
        cwd: folder,
        env: { ...process.env, PATH: path, CI: '1' },
      });
      let said = '';
      child.stdout.on('data', (chunk) => {
        said += chunk;
      });
      child.stderr.on('data', (chunk) => {
        said += chunk;
      });
      const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
      return { code, said };
    }

    it('builds the hierarchy of the article with sallyport ca and with openssl, connects and ends both', {
      timeout: PATIENCE,
    }, async () => {
      const [prepare = [], own = [], yours = [], end = []] = commandsUnder('The hierarchy of the article, in two ways');
      const opened: string[] = [];
      server.events.on('session.opened', ({ principal }) => opened.push(principal));
      for (const command of [...prepare, ...own, ...yours]) {
        const { code, said } = await type(command);
        expect(code, `${command}\n${said}`).toBe(0);
        if (command.startsWith('openssl verify')) expect(said).toContain('OK');
        if (command === 'sallyport ca list') expect(said).toContain('Sallyport demo');
      }
      expect(opened).toEqual(['device:demo/SecuredDevice/0400213', 'device:demo/SecuredDevice/0400214']);
      expect(end).toHaveLength(2);
      for (const command of end) expect(await type(command), command).toMatchObject({ code: 0 });
      for (const connect of [...own, ...yours].filter((command) => command.startsWith('mosquitto_pub'))) {
        expect((await type(connect)).code, connect).not.toBe(0);
      }
      expect(opened).toHaveLength(2);
    });
  },
);
