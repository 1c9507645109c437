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
  const entries = entriesOf(await linesOf(terminal, file));
  return entries.map(({ line, entry, note }) => ({
    ...listEntry(entry, `${file}:${line}`),
    ...(note !== undefined && { note }),
  }));
}

/**
 * Names of a file, one a line, each once. `-` reads standard input.
 *
 * @throws Failure `invalid_request` if it cannot be read; with the number of the line, if one is no text
 */
export async function listFileNames(terminal: Terminal, file: string): Promise<string[]> {
  const entries = entriesOf(await linesOf(terminal, file));
  // What is not text would be obeyed by a terminal.
  const binary = entries.find(({ entry }) => /[\p{C}\ufffd]/u.test(entry));
  if (binary) {
    throw new Failure('invalid_request', `Line ${binary.line} of ${file} is no text.`, {
      cure: 'Name a text file with one id on each line. Nothing was begun.',
    });
  }
  return [...new Set(entries.map(({ entry }) => entry))];
}

function entriesOf(lines: readonly string[]): (NewListEntry & { readonly line: number })[] {
  return lines.flatMap((text, index) => {
    const mark = text.indexOf('#');
    const entry = (mark < 0 ? text : text.slice(0, mark)).trim();
    const note = mark < 0 ? '' : text.slice(mark + 1).trim();
    return entry === '' ? [] : [{ line: index + 1, entry, ...(note !== '' && { note }) }];
  });
}

async function linesOf(terminal: Terminal, file: string): Promise<string[]> {
  const text = file === '-' ? await terminal.readStdin() : await read(file);
  return text.split(/\r?\n/);
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
