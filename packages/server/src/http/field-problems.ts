import type { FieldProblem } from '@sallyport/model';
import type { FastifySchemaValidationError } from 'fastify';

const MOST_PROBLEMS = 20;
const PARTS: Readonly<Record<string, string>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
  headers: 'header',
};

/**
 * Turns what the schema found into the fields of a problem: `body/security`, `query/limit`, `path/device`. Unknown keys are
 * named with the ones that exist. Never quotes a value: it may be a secret. At most 20 problems.
 */
export function fieldProblems(
  found: readonly FastifySchemaValidationError[],
  context: string,
  known: readonly string[],
): readonly FieldProblem[] {
  const part = PARTS[context] ?? context;
  return found.slice(0, MOST_PROBLEMS).flatMap((issue) => {
    const path = `${part}${issue.instancePath === '/' ? '' : issue.instancePath}`;
    const { keys } = issue.params;
    if (issue.keyword === 'unrecognized_keys' && Array.isArray(keys)) {
      const allowed =
        part === 'body' && issue.instancePath === '/' && known.length ? `; known are ${known.join(', ')}` : '';
      return keys.slice(0, MOST_PROBLEMS).map((key) => ({
        path: `${path}/${String(key).slice(0, 64)}`,
        problem: `is not a key of this request${allowed}`,
      }));
    }
    return [{ path, problem: issue.message ?? 'does not fit' }];
  });
}
