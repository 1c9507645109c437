import { UsageError } from './report-failure.ts';
import { secretLine } from './secret-input.ts';
import type { Terminal } from './terminal.ts';

export interface PassphraseRequest {
  /** What is asked, for example `Passphrase of the root key`. */
  readonly question: string;
  /** Named by an option; then nobody is asked. */
  readonly file: string | undefined;
  /** Ask a second time: a slip would lock it for good. */
  readonly isNew: boolean;
}

/**
 * A passphrase from a file, typed without an echo, or, where nobody sits at a terminal, the first line of standard input. Never from the
 * command line, where others see it.
 */
export async function passphrase({ question, file, isNew }: PassphraseRequest, terminal: Terminal): Promise<string> {
  if (file !== undefined || terminal.askSecret === undefined) return secretLine(file, terminal, 'passphrase');
  const typed = await terminal.askSecret(question);
  if (typed === '') throw new UsageError('The passphrase is empty.', 'Type one.');
  if (isNew && (await terminal.askSecret(`${question}, once more`)) !== typed) {
    throw new UsageError('The two passphrases differ.', 'Run the command again.');
  }
  return typed;
}

/** Asks for a yes; where nobody sits at a terminal, only `--yes` is one. */
export async function confirmed(question: string, given: boolean | undefined, terminal: Terminal): Promise<void> {
  if (given) return;
  if (terminal.confirm === undefined)
    throw new UsageError('Nobody is there to confirm this.', 'Add --yes if it is meant.');
  if (!(await terminal.confirm(question))) throw new UsageError('Nothing was changed.', 'Answer yes if it is meant.');
}
