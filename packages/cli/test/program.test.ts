import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeCommands } from '../src/describe-commands.ts';
import { runCommand } from './run-command.ts';

describe('the sallyport command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-cli-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('suggests the command that was meant, and calls it wrong use', async () => {
    const { exitCode, out, err } = await runCommand(['devise', 'list']);
    expect(exitCode).toBe(2);
    expect(err).toContain('Did you mean device?');
    expect(out).toBe('');
  });

  it('suggests the option that was meant', async () => {
    const { exitCode, err } = await runCommand(['device', 'list', '--jsno']);
    expect(exitCode).toBe(2);
    expect(err).toContain('--json');
  });

  it.each([
    [['device', 'add']],
    [['type', 'set', 'pump', '--security', 'none']],
    [['audit', '--limit', '0']],
    [['start', '--once']],
    [['device', 'add', 'pump', '--token', 'a', '--token-stdin']],
    [['explain', '--as', 'device:demo/pump/pump-7', 'fly', 'high']],
    [['policy']],
  ])('calls %j wrong use and says what to do', async (args) => {
    const { exitCode, out, err } = await runCommand([...args, '--data-dir', folder]);
    expect(exitCode).toBe(2);
    expect(err).not.toBe('');
    expect(out).toBe('');
  });

  it('shows help on standard output and calls that success', async () => {
    const { exitCode, out } = await runCommand(['device', 'add', '--help']);
    expect(exitCode).toBe(0);
    expect(out).toContain('sallyport device add pump/pump-9');
  });

  it('says which folder has no running server, and what to do', async () => {
    const { exitCode, err } = await runCommand(['org', 'list', '--data-dir', folder]);
    expect(exitCode).toBe(1);
    expect(err).toContain(folder);
    expect(err).toContain('What to do: ');
  });

  it('does not show the token of one server to another', async () => {
    const args = ['org', 'list', '--server', 'https://elsewhere.example', '--ca', 'root.pem'];
    const { exitCode, err } = await runCommand(args);
    expect(exitCode).toBe(2);
    expect(err).toContain('--operator-token-file');
  });

  it('places the problems of a policy by line and column', async () => {
    const file = join(folder, 'policy.yaml');
    await writeFile(
      file,
      'statements:\n  - id: a\n    effect: perhaps\n    principals: ["device:*"]\n    actions: [publish]\n    resources: [a]\n',
    );
    const { exitCode, err } = await runCommand(['policy', 'check', file]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/policy\.yaml:3:\d+: /);
    const json = await runCommand(['policy', 'check', file, '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, problems: [{ line: 3 }] });
  });

  it('warns of a statement that opens everything', async () => {
    const file = join(folder, 'laboratory.yaml');
    await writeFile(
      file,
      'statements:\n  - id: lab\n    effect: permit\n    principals: ["device:*"]\n    actions: [publish]\n    resources: ["#"]\n',
    );
    const { exitCode, out, err } = await runCommand(['policy', 'check', file, '--json']);
    expect(exitCode).toBe(0);
    expect(err).toContain('Warning: statement lab');
    expect(JSON.parse(out)).toMatchObject({ ok: true, broad: [{ id: 'lab' }] });
  });

  it.each([
    [['org', 'list'], 1, 'server_unreachable'],
    [['explain', 'AB/DEF'], 2, 'usage'],
    [['org', 'lst'], 2, 'usage'],
    [['org'], 2, 'usage'],
    [['publish', '--as', 'device:demo/pump/pump-7', 'a/#', 'x'], 2, 'usage'],
    [['subscribe', '--as', 'device:demo/pump/pump-7', 'a#'], 2, 'usage'],
    [['explain', '--as', 'device:demo/pump/pump-7', 'publish', ''], 2, 'usage'],
  ])('writes the error of %j as one document if asked for JSON', async (args, code, name) => {
    const { exitCode, out, err } = await runCommand([...args, '--data-dir', folder, '--json']);
    expect(exitCode).toBe(code);
    expect(JSON.parse(out)).toMatchObject({ error: { code: name, message: expect.any(String) } });
    expect(err).not.toBe('');
  });

  it('writes no second document after a result', async () => {
    const { exitCode, out } = await runCommand(['policy', 'check', '-', '--json'], 'statements: 1');
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false });
  });

  it('answers without a server what a policy file permits', { timeout: 60_000 }, async () => {
    const args = ['explain', '--as', 'device:demo/pump/pump-7', '--data-dir', folder];
    const own = await runCommand(
      [...args, '--policy', '-', 'publish', 'iot-2/evt/status/fmt/json', '--json'],
      'statements: []',
    );
    expect(own).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(own.out)).toMatchObject({ effect: 'permit' });
    const other = await runCommand([...args, '--policy', '-', 'subscribe', '#'], 'statements: []');
    expect(other.exitCode).toBe(1);
    expect(other.out).toContain('may not subscribe');
    expect(other.out).toContain('What to do: ');
  });
});

describe('describeCommands', () => {
  it('gives every command a description, and every one that does something an example', () => {
    for (const { path, description, usage, examples } of describeCommands()) {
      expect(description, path).not.toBe('');
      const isGroup = usage.includes('[command]');
      if (!isGroup) expect(examples, path).not.toHaveLength(0);
      for (const example of examples) expect(example).toContain(path === 'sallyport' ? 'sallyport' : path);
    }
  });

  it('reaches the commands of commands', () => {
    const paths = describeCommands().map(({ path }) => path);
    expect(paths).toContain('sallyport device credential revoke');
    expect(paths).toContain('sallyport simulate device');
  });
});

describe('the noun application without a verb', () => {
  it('leads to the desk, which asks which application it is', async () => {
    for (const args of [['application'], ['application', '--ui'], ['application', 'desk'], ['desk']]) {
      const { exitCode, err } = await runCommand(args);
      expect(exitCode, args.join(' ')).toBe(2);
      expect(err).toContain('--as application:demo/desk');
    }
  });

  it('still tells a slip of the pen from a command', async () => {
    const { exitCode, err } = await runCommand(['application', 'lst']);
    expect(exitCode).toBe(2);
    expect(err).toContain('sallyport application has no command "lst"');
  });
});
