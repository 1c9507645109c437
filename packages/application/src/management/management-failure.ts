import { FAILURES, Failure, type FailureCode, type FieldProblem, type Problem } from '@sallyport/model';
import type { IncomingAnswer } from './transport.ts';

/** What the server answered instead of what was asked: the problem's code, detail and cure, and what else it said. */
export class ManagementFailure extends Failure {
  readonly status: number;
  /** Ticket of the refusal, for `explainTicket`. */
  readonly ticket?: string;
  /** The fields that do not fit. */
  readonly errors: readonly FieldProblem[];
  /** Seconds to wait before the next attempt. */
  readonly retryAfter?: number;

  constructor(code: FailureCode, status: number, problem: Partial<Problem>, retryAfter: number | undefined) {
    super(code, problem.detail ?? `The server answered with status ${status}.`, {
      ...(problem.cure !== undefined && { cure: problem.cure }),
    });
    this.name = 'ManagementFailure';
    this.status = status;
    this.errors = problem.errors ?? [];
    if (problem.ticket !== undefined) this.ticket = problem.ticket;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
  }
}

/** Makes a failure of an answer that is none of 2xx. What answers without a problem is not a Sallyport server. */
export function failureOf(answer: IncomingAnswer, where: string): Failure {
  const problem = problemIn(answer);
  if (!problem) {
    return new Failure(
      'server_unreachable',
      `What answers at ${where} is no Sallyport server (status ${answer.status}).`,
      {
        cure: 'Check the address; a proxy in between may also answer in its place.',
      },
    );
  }
  const retryAfter = Number(answer.header('retry-after'));
  // A newer server may know codes that this client does not.
  const code =
    problem.code !== undefined && Object.hasOwn(FAILURES, problem.code) ? problem.code : codeOf(answer.status);
  return new ManagementFailure(code, answer.status, problem, retryAfter > 0 ? retryAfter : undefined);
}

function problemIn(answer: IncomingAnswer): Partial<Problem> | undefined {
  if (!answer.header('content-type')?.startsWith('application/problem+json')) return undefined;
  try {
    const read: unknown = JSON.parse(answer.text);
    return typeof read === 'object' && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(status: number): FailureCode {
  return status >= 500 ? 'internal' : 'invalid_request';
}
