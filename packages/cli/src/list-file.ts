import { readFile } from 'node:fs/promises';
import { Failure, type NewListEntry } from '@sallyport/model';
import type { Terminal } from './terminal.ts';

/**
 * Entries of a file, one a line: what is behind `#` is its note, and a line that begins with `#` is a remark. `-` reads standard input.
 *
 * @throws Failure `invalid_request` if it cannot be read
 */
export async function listFileEntries(terminal: Terminal, file: string): Promise<NewListEntry[]> {
  const text = file === '-' ? await terminal.readStdin() : await read(file);
  return text.split(/\r?\n/).flatMap((line) => {
    const mark = line.indexOf('#');
    const entry = (mark < 0 ? line : line.slice(0, mark)).trim();
    const note = mark < 0 ? '' : line.slice(mark + 1).trim();
    return entry === '' ? [] : [{ entry, ...(note !== '' && { note }) }];
  });
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, {
      cause,
      cure: 'Check the path and its permissions; - reads standard input.',
    });
  }
}
