import { type Column, documentText, tableText } from './table.ts';
import type { Terminal } from './terminal.ts';

/** How a command shows what it found: for a person, or with `--json` for a program. */
export interface Output {
  readonly json: boolean;
  /** One thing. */
  document(document: object): void;
  /** Many things; an empty list says so to a person. */
  list<T>(rows: readonly T[], columns: readonly Column<T>[]): void;
  /** One of a stream of things: a line of text, or a line of JSON. */
  line(text: string, document: unknown): void;
  /** A result that has its own words; with `--json` the document. */
  text(text: string, document: unknown): void;
  /** A remark for a person; never part of the result. */
  note(text: string): void;
}

/** Results to standard output, remarks to standard error. */
export function createOutput(terminal: Terminal, json: boolean): Output {
  const asJson = (value: unknown) => terminal.out(JSON.stringify(value, null, 2));
  return {
    json,
    document: (document) => (json ? asJson(document) : terminal.out(documentText(document))),
    list(rows, columns) {
      if (json) asJson(rows);
      else if (rows.length === 0) terminal.err('Nothing to show.');
      else terminal.out(tableText(rows, columns));
    },
    line: (text, document) => terminal.out(json ? JSON.stringify(document) : text),
    text: (text, document) => (json ? asJson(document) : terminal.out(text)),
    note: (text) => terminal.err(text),
  };
}
