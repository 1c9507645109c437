import { readFile } from 'node:fs/promises';
import { Failure, type NewListEntry } from '@sallyport/model';
import { parseListEntry } from '@sallyport/policy';
import type { Terminal } from './terminal.ts';

/**
 * One entry, judged before anything is sent. `place` says where it was written.
 *
 * @throws Failure `invalid_request` if it is none
 */
export function listEntry(text: string, place: string): NewListEntry {
  const read = parseListEntry(text);
  if (read.ok) return { entry: text };
  throw new Failure('invalid_request', `${place}: ${read.problem}. Nothing was changed.`, {
    cure: 'Write an address (192.0.2.7), a network (192.0.2.0/24), a range (192.0.2.7-192.0.2.20) or a country (DE).',
  });
}

/**
 * Entries of a file, one a line: what is behind `#` is its note, and a line that begins with `#` is a remark. `-` reads standard input.
 *
 * @throws Failure `invalid_request` if it cannot be read, or holds what is no entry, with its line
 */
export async function listFileEntries(terminal: Terminal, file: string): Promise<NewListEntry[]> {
  const text = file === '-' ? await terminal.readStdin() : await read(file);
  return text.split(/\r?\n/).flatMap((line, index) => {
    const mark = line.indexOf('#');
    const entry = (mark < 0 ? line : line.slice(0, mark)).trim();
    const note = mark < 0 ? '' : line.slice(mark + 1).trim();
    if (entry === '') return [];
    return [{ ...listEntry(entry, `${file}:${index + 1}`), ...(note !== '' && { note }) }];
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
