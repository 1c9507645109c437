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
  try {
    return notEmpty(firstLine(await readFile(options.tokenFile, 'utf8')), options.tokenFile);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new Failure('invalid_request', `The token file ${options.tokenFile} cannot be read.`, {
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
