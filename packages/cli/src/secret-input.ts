import { readFile } from 'node:fs/promises';
import { Failure } from '@sallyport/model';
import { type Command, Option } from 'commander';
import { UsageError } from './report-failure.ts';
import type { Terminal } from './terminal.ts';

/** Where a chosen token comes from; without any of them one is generated. */
export interface SecretOptions {
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly token?: string;
}

/** Adds `--token-file`, `--token-stdin` and `--token`, of which one may be given. */
export function withSecretOptions(command: Command): Command {
  return command
    .addOption(new Option('--token-file <file>', 'use the token in this file').conflicts(['token', 'tokenStdin']))
    .addOption(new Option('--token-stdin', 'read the token from standard input').conflicts(['token', 'tokenFile']))
    .addOption(
      new Option(
        '--token <token>',
        'use this token; other users of this machine can see it in the process list',
      ).conflicts(['tokenFile', 'tokenStdin']),
    );
}

/**
 * The token that the person chose, without the line end that editors add; nothing if it is to be generated.
 *
 * @throws Failure `invalid_request` if the file cannot be read; UsageError if there is nothing in it
 */
export async function chosenSecret(options: SecretOptions, terminal: Terminal): Promise<string | undefined> {
  if (options.token !== undefined) {
    terminal.err(
      'Warning: --token shows the token in the process list and the shell history; prefer --token-file or --token-stdin.',
    );
    return notEmpty(options.token, '--token');
  }
  if (options.tokenStdin) return notEmpty(firstLine(await terminal.readStdin()), 'standard input');
  if (options.tokenFile === undefined) return undefined;
  return notEmpty(await lineOf(options.tokenFile), options.tokenFile);
}

/** The password of a user name, from a file or from standard input; never from the command line, where others see it. */
export function chosenPassword(file: string | undefined, terminal: Terminal): Promise<string> {
  return secretLine(file, terminal, 'password');
}

/** The first line of a file or of standard input. */
export async function secretLine(file: string | undefined, terminal: Terminal, noun: string): Promise<string> {
  const secret = file === undefined ? firstLine(await terminal.readStdin()) : await lineOf(file);
  if (secret !== '') return secret;
  throw new UsageError(`There is no ${noun} in ${file ?? 'standard input'}.`, 'Give 8 characters or more.');
}

async function lineOf(file: string): Promise<string> {
  try {
    return firstLine(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, {
      cause,
      cure: 'Check the path and its permissions.',
    });
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}

function notEmpty(text: string, where: string): string {
  if (text === '')
    throw new UsageError(
      `There is no token in ${where}.`,
      'Give 8 to 36 characters, or leave the option out to have one generated.',
    );
  return text;
}
