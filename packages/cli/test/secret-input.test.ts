import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../src/report-failure.ts';
import { chosenSecret } from '../src/secret-input.ts';
import { recordingTerminal } from './recording-terminal.ts';

describe('chosenSecret', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-cli-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('leaves the choice to the server when nothing is given', async () => {
    expect(await chosenSecret({}, recordingTerminal().terminal)).toBeUndefined();
  });

  it('takes the first line of a file without its end', async () => {
    const file = join(folder, 'token');
    await writeFile(file, 'Quiet-River+42\r\n');
    expect(await chosenSecret({ tokenFile: file }, recordingTerminal().terminal)).toBe('Quiet-River+42');
  });

  it('reads standard input', async () => {
    const { terminal } = recordingTerminal('Quiet-River+42\n');
    expect(await chosenSecret({ tokenStdin: true }, terminal)).toBe('Quiet-River+42');
  });

  it('warns of the process list, without repeating the token', async () => {
    const { terminal, err } = recordingTerminal();
    await chosenSecret({ token: 'Quiet-River+42' }, terminal);
    expect(err.join()).toContain('process list');
    expect(err.join()).not.toContain('Quiet-River');
  });

  it('names a file that cannot be read, and refuses an empty one', async () => {
    const { terminal } = recordingTerminal();
    await expect(chosenSecret({ tokenFile: join(folder, 'absent') }, terminal)).rejects.toThrow(Failure);
    await writeFile(join(folder, 'empty'), '');
    await expect(chosenSecret({ tokenFile: join(folder, 'empty') }, terminal)).rejects.toThrow(UsageError);
  });
});
