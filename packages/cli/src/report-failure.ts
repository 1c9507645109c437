import { FAILURES, Failure } from '@sallyport/model';
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
  /** The same for a program; absent if the result was the answer. */
  readonly document?: ErrorDocument;
}

/** What `--json` shows of an error. */
export interface ErrorDocument {
  readonly error: {
    /** A code of docs/reference/failures.md, `usage` or `internal`. */
    readonly code: string;
    readonly message: string;
    readonly cure?: string;
    readonly ticket?: string;
    readonly errors?: readonly unknown[];
  };
}

/** What happened, to what, and what to do next; with `verbose` also where in the program. */
export function reportFailure(error: unknown, verbose = false): FailureReport {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { text: '', exitCode: EXIT.done };
    const message = error.code === 'commander.help' ? 'A command is missing.' : error.message.replace(/^error: /, '');
    return { text: '', exitCode: EXIT.usage, document: { error: { code: 'usage', message } } };
  }
  if (error instanceof NegativeAnswer) return { text: '', exitCode: EXIT.failed };
  if (error instanceof UsageError) {
    const { message, cure } = error;
    return { text: lines(message, cure), exitCode: EXIT.usage, document: { error: { code: 'usage', message, cure } } };
  }
  const stack = verbose ? `\n\n${stackOf(error)}` : '';
  if (error instanceof Failure) {
    const { code, message } = error;
    const cure = cureOf(error);
    const fields = fieldsOf(error).map((field) => `  - ${printable(field)}`);
    const document = { error: { code, message, cure, ...detailsOf(error) } };
    return { text: [lines(message, cure), ...fields].join('\n') + stack, exitCode: EXIT.failed, document };
  }
  const message = error instanceof Error ? error.message : String(error);
  const cure = verbose
    ? 'Report it with the lines below.'
    : 'Run the command again with --verbose and report what it prints.';
  const document = { error: { code: 'internal', message: `A defect of this program: ${message}`, cure } };
  return { text: lines(document.error.message, cure) + stack, exitCode: EXIT.failed, document };
}

function lines(message: string, cure: string): string {
  return `sallyport: ${message.split('\n').map(printable).join('\n  ')}\n  What to do: ${printable(cure)}`;
}

/** What a person at the command line can correct is not the request that the command made of it. */
function cureOf(error: Failure): string {
  return error.cure === FAILURES.invalid_request.cure
    ? 'Correct what is named; the command with --help shows what it takes.'
    : error.cure;
}

/** The fields of a request that did not fit, where the server named more than the one of the message. */
function fieldsOf(error: Failure): string[] {
  const errors = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return errors
    .filter((each): each is { path: string; problem: string } => typeof each?.problem === 'string')
    .filter(({ problem }) => !error.message.includes(problem))
    .map(({ path, problem }) => `${path.replace(/^(body|path|query)\//, '').replaceAll('/', '.')}: ${problem}`);
}

function detailsOf(error: Failure): Pick<ErrorDocument['error'], 'ticket' | 'errors'> {
  const { ticket, errors } = error as { ticket?: unknown; errors?: unknown };
  return {
    ...(typeof ticket === 'string' && { ticket }),
    ...(Array.isArray(errors) && errors.length > 0 && { errors }),
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
