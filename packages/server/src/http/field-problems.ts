import type { FieldProblem } from '@sallyport/model';
import type { FastifySchemaValidationError } from 'fastify';
import { plainProblem, problemSentence } from './plain-problem.ts';

const MOST_PROBLEMS = 20;
const PARTS: Readonly<Record<string, string>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
  headers: 'header',
};

/** The parts of a request as they were sent, by the names that the framework gives them. */
export type SentParts = Readonly<Record<string, unknown>>;

interface Found {
  readonly path: readonly PropertyKey[];
  readonly code: string;
  readonly message?: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Turns what the schema found into the fields of a problem: `body/security`, `query/limit`, `path/device`. Unknown keys are
 * named with the ones that exist. Never quotes a value: it may be a secret. At most 20 problems.
 */
export function fieldProblems(
  found: readonly FastifySchemaValidationError[],
  context: string,
  known: readonly string[],
  sent: SentParts = {},
): readonly FieldProblem[] {
  const part = PARTS[context] ?? context;
  return found.slice(0, MOST_PROBLEMS).flatMap((issue) => {
    const { path, code, message, params } = nearestBranch({
      path: issue.instancePath.split('/').filter((segment) => segment !== ''),
      code: issue.keyword,
      message: issue.message,
      params: issue.params,
    });
    const name = [part, ...path.map(String)].join('/');
    const { keys } = params;
    if (code === 'unrecognized_keys' && Array.isArray(keys)) {
      const allowed = part === 'body' && path.length === 0 && known.length ? `; known are ${known.join(', ')}` : '';
      return keys.slice(0, MOST_PROBLEMS).map((key) => ({
        path: `${name}/${String(key).slice(0, 64)}`,
        problem: `is not a key of this request${allowed}`,
      }));
    }
    return [{ path: name, problem: plainProblem({ code, message, params }, valueAt(sent[context], path)) }];
  });
}

/** A problem as a sentence: `password.password has 5 characters; it needs 8 or more`. */
export function fieldSentence({ path, problem }: FieldProblem): string {
  const [part = '', ...names] = path.split('/');
  return problemSentence(names.length === 0 ? `The ${part}` : names.join('.'), problem);
}

/** Of several allowed forms the one that was meant: the one whose own fields were looked at. */
function nearestBranch(issue: Found): Found {
  if (issue.code !== 'invalid_union' || !Array.isArray(issue.params.errors)) return issue;
  const branches = issue.params.errors as readonly (readonly Record<string, unknown>[])[];
  for (const [first] of branches) {
    if (first === undefined) continue;
    const { path, code, message, ...params } = first;
    const within = Array.isArray(path) && path.length > 0;
    if (!within && code !== 'unrecognized_keys') continue;
    const deeper = within ? (path as PropertyKey[]) : [];
    return { path: [...issue.path, ...deeper], code: String(code), message: message as string | undefined, params };
  }
  return issue;
}

function valueAt(from: unknown, path: readonly PropertyKey[]): unknown {
  let value = from;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[segment];
  }
  return value;
}
