import { Failure } from '@sallyport/model';
import { CommanderError } from 'commander';
import { printable } from './table.ts';

/** How the process ends: 0 done, 1 failed or refused, 2 used wrongly. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command was used wrongly in a way that the option parser cannot see. */
export class UsageError extends Error {
  readonly cure: string;

  constructor(message: string, cure: string) {
    super(message);
    this.name = 'UsageError';
    this.cure = cure;
  }
}

/** The answer was found, was written, and is no: nothing is left to say but by the exit code. */
export class NegativeAnswer extends Error {
  constructor() {
    super('The answer is no.');
    this.name = 'NegativeAnswer';
  }
}

/** What to tell a person about an error, and the exit code. An empty text means that everything was said already. */
export interface FailureReport {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** What happened, to what, and what to do next; with `verbose` also where in the program. */
export function reportFailure(error: unknown, verbose = false): FailureReport {
  if (error instanceof CommanderError) {
    return { text: '', exitCode: error.exitCode === 0 ? EXIT.done : EXIT.usage };
  }
  if (error instanceof NegativeAnswer) return { text: '', exitCode: EXIT.failed };
  if (error instanceof UsageError) return { text: lines(error.message, error.cure), exitCode: EXIT.usage };
  const stack = verbose ? `\n\n${stackOf(error)}` : '';
  if (error instanceof Failure) {
    const fields = fieldsOf(error).map((field) => `  - ${printable(field)}`);
    return { text: [lines(error.message, error.cure), ...fields].join('\n') + stack, exitCode: EXIT.failed };
  }
  const message = error instanceof Error ? error.message : String(error);
  const cure = verbose
    ? 'Report it with the lines below.'
    : 'Run the command again with --verbose and report what it prints.';
  return { text: lines(`A defect of this program: ${message}`, cure) + stack, exitCode: EXIT.failed };
}

function lines(message: string, cure: string): string {
  return `sallyport: ${message.split('\n').map(printable).join('\n  ')}\n  What to do: ${printable(cure)}`;
}

/** The fields of a request that did not fit, where the server named them. */
function fieldsOf(error: Failure): string[] {
  const errors = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return errors
    .filter((each): each is { path: string; problem: string } => typeof each?.problem === 'string')
    .map(({ path, problem }) => `${path}: ${problem}`)
    .filter((text) => !error.message.includes(text));
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
