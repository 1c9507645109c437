import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../programs.ts';
import { RunningProgram, SALLYPORT, sallyport } from './sallyport-process.ts';

const PORTS = ['--mqtt-port', '0', '--http-port', '0'];

describe('the first walk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-walk-'));
  const place = ['--data-dir', directory];
  let server: RunningProgram;

  beforeAll(async () => {
    server = new RunningProgram(process.execPath, [SALLYPORT, 'demonstrate', ...place, ...PORTS]);
    await server.says('Ctrl-C ends it.');
  }, 120_000);
  afterAll(async () => {
    await server.end('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  /** The lines to paste under a number, as a person would copy them. */
  const pasted = (number: number) => {
    const block = new RegExp(`^# ${number}\\. .*\\n([^]*?)(?:\\n\\n|\\n# )`, 'm').exec(server.out)?.[1];
    if (block === undefined) throw new Error(`no lines under ${number}`);
    return block.replace('npx sallyport', `${process.execPath} ${SALLYPORT}`);
  };
  const paste = async (number: number) => {
    const shell = new RunningProgram('bash', ['-c', pasted(number)]);
    return { exitCode: await shell.exited, out: shell.out, err: shell.err };
  };

  it('shows an event, a command and three refusals, each with its explanation', () => {
    expect(server.out).toContain('pump-7 said, and desk heard: greeting');
    expect(server.out).toContain('desk asked, and pump-7 heard: set-interval');
    expect(server.out.match(/Ticket [0-9A-Z]{6}: /g)).toHaveLength(3);
    expect(server.out.match(/What to do: /g)).toHaveLength(3);
    expect(server.out).not.toContain('✗ This did not hold');
    expect(server.out).toContain('All of it held.');
  });

  it('keeps every secret readable for its owner only', () => {
    const modes = (folder: string) =>
      readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]);
    for (const [name, mode] of modes(join(directory, 'demo'))) expect(mode, name).toBe('600');
    expect((statSync(join(directory, 'operator.token')).mode & 0o777).toString(8)).toBe('600');
  });

  it('prints a curl line that works', async () => {
    const { exitCode, out } = await paste(4);
    expect(exitCode).toBe(0);
    expect(JSON.parse(out).items.map(({ id }: { id: string }) => id)).toEqual(['pump-7', 'pump-8']);
  });

  it('prints a line that explains a refusal', async () => {
    const { exitCode, out } = await paste(5);
    expect(exitCode).toBe(0);
    expect(out).toContain('What to do: ');
  });

  it('prints a Node program that sends a command to the simulated device', async () => {
    expect(await paste(3)).toMatchObject({ exitCode: 0, err: '' });
    await server.says('pump-7 received the command blink {"times":3}');
  });

  describeWith(['mosquitto_sub', 'mosquitto_pub'], 'with the clients of mosquitto', () => {
    it('prints lines that send an event and show it', async () => {
      const listener = new RunningProgram('bash', ['-c', `exec ${pasted(1)}`]);
      // The simulated device sends by itself: once it is heard, the subscription stands.
      await listener.says('iot-2/type/pump/id/pump-7/evt/status/fmt/json');
      expect(await paste(2)).toMatchObject({ exitCode: 0, err: '' });
      await listener.says('iot-2/type/pump/id/pump-8/evt/status/fmt/json {"temperature":21}');
      await listener.end('SIGTERM');
    });
  });

  it('lets an operator go through the life of a device', { timeout: 60_000 }, async () => {
    const run = async (...args: string[]) => {
      const { exitCode, out, err } = await sallyport([...args, '--json', ...place]);
      expect(err + exitCode).toMatch(/0$/);
      return JSON.parse(out);
    };
    const added = await run('device', 'add', 'pump/pump-9', '--description', 'north wall');
    expect(added).toMatchObject({ id: 'pump-9', clientId: 'd:demo:pump:pump-9', token: expect.any(String) });
    const { token } = await run('device', 'token', 'pump/pump-9', '--revoke-others');
    expect(token).not.toBe(added.token);
    expect(await run('device', 'credential', 'list', 'pump/pump-9')).toMatchObject([
      {},
      { revokedAt: expect.any(String) },
    ]);

    const publish = [
      'publish',
      '--as',
      'device:demo/pump/pump-9',
      'iot-2/evt/status/fmt/json',
      '{}',
      '--token-stdin',
      ...place,
    ];
    expect(await sallyport(publish, token)).toMatchObject({ exitCode: 0 });
    const refused = await sallyport(publish, added.token);
    expect(refused.exitCode).toBe(1);
    const [, ticket = ''] = /ticket ([0-9A-Z]{6})/.exec(refused.err) ?? [];
    expect(await run('explain', ticket)).toMatchObject({ ticket, reason: 'credential_revoked' });

    expect(await run('device', 'suspend', 'pump/pump-9')).toMatchObject({ suspendedAt: expect.any(String) });
    expect(await sallyport(publish, token)).toMatchObject({ exitCode: 1 });
    expect(await run('device', 'resume', 'pump/pump-9')).not.toHaveProperty('suspendedAt');
    expect(await sallyport(publish, token)).toMatchObject({ exitCode: 0 });
    expect(await run('device', 'remove', 'pump/pump-9')).toEqual({ removed: 'pump/pump-9' });
    expect((await sallyport(['device', 'show', 'pump/pump-9', ...place])).exitCode).toBe(1);
  });

  it('refuses to start twice on one data directory or one port, and says what to do', { timeout: 60_000 }, async () => {
    const again = await sallyport(['start', ...place, ...PORTS]);
    expect(again).toMatchObject({ exitCode: 1, out: '' });
    expect(again.err).toContain('What to do: ');
    const port = /-p (\d+)/.exec(server.out)?.[1] ?? '';
    const other = mkdtempSync(join(tmpdir(), 'sallyport-walk-'));
    const taken = await sallyport(['start', '--data-dir', other, '--mqtt-port', port, '--http-port', '0']);
    rmSync(other, { recursive: true });
    expect(taken).toMatchObject({ exitCode: 1 });
    expect(taken.err).toContain(port);
  });

  it('ends cleanly, and finds everything again', { timeout: 60_000 }, async () => {
    expect(await server.end('SIGINT')).toBe(0);
    expect(server.err).not.toContain('    at ');
    const again = await sallyport(['demonstrate', '--once', ...place, ...PORTS]);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.err).toContain('still there');
    expect(again.out).toContain('All of it held.');
  });
});
