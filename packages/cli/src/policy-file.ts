import { readFile } from 'node:fs/promises';
import { Failure } from '@sallyport/model';
import type { Terminal } from './terminal.ts';

/**
 * The text of a policy file; `-` reads standard input.
 *
 * @throws Failure `invalid_request` if it cannot be read
 */
export async function policyText(terminal: Terminal, file: string): Promise<string> {
  if (file === '-') return terminal.readStdin();
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('invalid_request', `The policy file ${file} cannot be read.`, {
      cause,
      cure: 'Check the path and its permissions; - reads standard input.',
    });
  }
}
