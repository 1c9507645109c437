import { FAILURES, Failure, type FailureCode, type FieldProblem, type Problem } from '@sallyport/model';
import type { FastifyError } from 'fastify';
import { fieldProblems, fieldSentence, type SentParts } from './field-problems.ts';

/** Media type of every error of the API (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json';

export interface ProblemDetails {
  readonly cure?: string;
  readonly ticket?: string;
  readonly errors?: readonly FieldProblem[];
}

/** Makes the one form of an error from its row in the table of failures. */
export function problem(code: FailureCode, detail: string, more: ProblemDetails = {}): Problem {
  const row = FAILURES[code];
  return {
    type: `/docs/failures#${code}`,
    title: row.meaning,
    status: row.httpStatus,
    code,
    detail,
    cure: more.cure ?? row.cure,
    ...(more.ticket && { instance: `/api/v1/explain/${more.ticket}`, ticket: more.ticket }),
    ...(more.errors?.length && { errors: more.errors }),
  };
}

/** Carries the positions of a text that does not parse through to the answer. */
export class FieldFailure extends Failure {
  readonly errors: readonly FieldProblem[];

  constructor(code: FailureCode, message: string, errors: readonly FieldProblem[]) {
    super(code, message);
    this.errors = errors;
  }
}

/**
 * Says in the API's form what went wrong. What is not a failure that we know is a defect: the peer learns nothing of it,
 * the caller of this function reports it.
 */
export function problemOf(error: unknown, bodyKeys?: readonly string[], sent?: SentParts): Problem {
  if (error instanceof Failure) {
    return problem(error.code, error.message, {
      cure: error.cure,
      ...(error instanceof FieldFailure && { errors: error.errors }),
    });
  }
  return (
    frameworkProblem(error as Partial<FastifyError>, bodyKeys, sent) ?? problem('internal', 'The request met a defect.')
  );
}

const FRAMEWORK_PROBLEMS: Readonly<Record<string, readonly [FailureCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['request_too_large', 'The body is larger than this route takes: 1 MiB, a policy 4 MiB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'The content type of the body is not understood here.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_MAX_PARAM_LENGTH: ['invalid_request', 'A segment of the path is longer than 512 characters.'],
  FST_ERR_BAD_URL: ['invalid_request', 'The path of the request is not validly percent-encoded.'],
};

function frameworkProblem(
  error: Partial<FastifyError>,
  bodyKeys: readonly string[] = [],
  sent?: SentParts,
): Problem | undefined {
  if (error.validation) {
    const errors = fieldProblems(error.validation, error.validationContext ?? 'body', bodyKeys, sent);
    const first = errors[0];
    return problem('invalid_request', first ? `${fieldSentence(first)}.` : 'The request does not fit.', {
      errors,
    });
  }
  const known = FRAMEWORK_PROBLEMS[error.code ?? ''];
  if (known) return problem(...known);
  // A request that broke off while its body was read is the peer's doing, not a defect.
  return error.statusCode === 400 ? problem('invalid_request', 'The request could not be read.') : undefined;
}
