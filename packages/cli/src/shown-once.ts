import { writeFile } from 'node:fs/promises';
import { Failure } from '@sallyport/model';
import type { Command } from 'commander';
import type { Output } from './output.ts';

/** Adds `--save-token`. */
export function withSaveToken(command: Command): Command {
  return command.option('--save-token <file>', 'write the generated token to this new file, which only you can read');
}

/**
 * Shows something new together with the token that was generated for it, which nobody can show again.
 *
 * @throws Failure `invalid_request` if the file for the token exists or cannot be written
 */
export async function showOnce(
  output: Output,
  document: object,
  token: string | undefined,
  saveTo: string | undefined,
): Promise<void> {
  if (token === undefined) return output.document(document);
  if (saveTo === undefined) {
    output.document({ ...document, token });
    output.note('Keep the token now: it cannot be shown again.');
    return;
  }
  try {
    await writeFile(saveTo, token, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    // Printing it is better than losing it: the server keeps only a hash.
    output.document({ ...document, token });
    throw new Failure('invalid_request', `The token could not be written to ${saveTo}; it is shown above instead.`, {
      cause,
      cure: 'Keep it now. Name a file that does not exist yet, in a folder that you may write.',
    });
  }
  output.document({ ...document, tokenFile: saveTo });
}
