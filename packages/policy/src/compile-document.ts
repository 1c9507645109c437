// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { parseOrganisationId } from '@sallyport/model';
import { compileConditions } from './compile-conditions.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import { ACTIONS, type Action } from './decision.ts';
import { parsePrincipalPattern } from './principal-pattern.ts';
import { isMapping, kindOf, type Path, type ProblemList, readList, readWord } from './problem-list.ts';
import { parseResourcePattern, type ResourcePattern, resourceKindOf } from './resource-pattern.ts';

const MOST_STATEMENTS = 20_000;
const LONGEST_DESCRIPTION = 1000;
const DOCUMENT_KEYS = ['organisation', 'statements'];
const STATEMENT_KEYS = ['id', 'description', 'effect', 'principals', 'roles', 'actions', 'resources', 'when'];
const ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;
const ROLE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const CURES: Readonly<Record<ReturnType<typeof resourceKindOf>, string>> = {
  topic: 'Write a topic filter such as "line-4/+/temperature", "line-4/#", or "notes/${principal.id}/#".',
  client: 'Write a client id such as "d:demo:pump:pump-7", or one that ends in "*".',
  route: 'Write a route such as "devices/read" or "devices/+".',
};

/** Checks whatever it is given as a policy document and prepares its statements; everything wrong goes to `problems`. */
export function compileDocument(document: unknown, problems: ProblemList): readonly CompiledStatement[] {
  if (!isMapping(document)) {
    problems.add(
      [],
      `expected a policy document, found ${kindOf(document)}`,
      'Write a mapping with the key "statements".',
    );
    return [];
  }
  problems.unknownKeys([], document, DOCUMENT_KEYS);
  const organisation = readOrganisation(document.organisation, problems);
  const { statements } = document;
  if (!Array.isArray(statements)) {
    problems.add(
      ['statements'],
      `expected a list of statements, found ${kindOf(statements)}`,
      'Write "statements: []" if there are none.',
    );
    return [];
  }
  if (statements.length > MOST_STATEMENTS) {
    problems.add(
      ['statements'],
      `${statements.length} statements, at most ${MOST_STATEMENTS} are allowed`,
      'Use templates and wildcards, or split the document.',
    );
    return [];
  }
  const compiled: CompiledStatement[] = [];
  for (const [index, statement] of statements.entries()) {
    const result = compileStatement(statement, ['statements', index], organisation, problems);
    if (result) compiled.push(result);
  }
  return compiled;
}

function readOrganisation(value: unknown, problems: ProblemList): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    problems.add(
      ['organisation'],
      `expected a text, found ${kindOf(value)}`,
      'Write the id of the organisation in quotes.',
    );
    return undefined;
  }
  const answer = parseOrganisationId(value);
  if (!answer.ok) problems.add(['organisation'], answer.problem, 'Write the id of an organisation.', answer.position);
  return value;
}

function compileStatement(
  value: unknown,
  path: Path,
  organisation: string | undefined,
  problems: ProblemList,
): CompiledStatement | undefined {
  if (!isMapping(value)) {
    problems.add(path, `expected a statement, found ${kindOf(value)}`, `A statement has ${STATEMENT_KEYS.join(', ')}.`);
    return undefined;
  }
  const before = problems.problems.length;
  problems.unknownKeys(path, value, STATEMENT_KEYS);
  const { id, description } = value;
  if (typeof id !== 'string' || !ID.test(id)) {
    problems.add(
      [...path, 'id'],
      'every statement needs an id',
      'Write up to 128 letters, digits, "_", ".", ":" and "-", such as "lab.everything".',
    );
  }
  if (description !== undefined && (typeof description !== 'string' || description.length > LONGEST_DESCRIPTION)) {
    problems.add(
      [...path, 'description'],
      `a description is a text of at most ${LONGEST_DESCRIPTION} characters`,
      'Shorten it or put it in quotes.',
    );
  }
  const effect = readWord(problems, [...path, 'effect'], value.effect, ['permit', 'deny']);
  const principals = readList(problems, [...path, 'principals'], value.principals, '["device:*"]', (text, at) => {
    const pattern = parsePrincipalPattern(text, organisation);
    if (pattern.ok) return pattern.value;
    problems.add(
      at,
      pattern.problem,
      'Write a principal such as "device:demo/pump/pump-7" or "device:*".',
      pattern.position,
    );
    return undefined;
  });
  const roles = value.roles === undefined ? undefined : readRoles(value.roles, [...path, 'roles'], problems);
  const actions = readList(problems, [...path, 'actions'], value.actions, '["publish"]', (text, at) =>
    readWord(problems, at, text, ACTIONS),
  );
  const resources = readResources(value.resources, [...path, 'resources'], actions, effect ?? 'permit', problems);
  const conditions = value.when === undefined ? undefined : compileConditions(problems, [...path, 'when'], value.when);

  if (problems.problems.length > before || !effect || typeof id !== 'string') return undefined;
  return {
    id,
    effect,
    principals,
    actions: new Set(actions),
    resources,
    ...(organisation === undefined ? {} : { organisation }),
    ...(roles ? { roles } : {}),
    ...(conditions ? { conditions } : {}),
    position: path.at(-1) as number,
  };
}

function readRoles(value: unknown, path: Path, problems: ProblemList): readonly string[] {
  return readList(problems, path, value, '["standard"]', (text, at) => {
    if (ROLE.test(text)) return text;
    problems.add(at, 'not the name of a role', 'Write a role such as "standard" or "gateway-privileged".');
    return undefined;
  });
}

function readResources(
  value: unknown,
  path: Path,
  actions: readonly Action[],
  effect: 'permit' | 'deny',
  problems: ProblemList,
): readonly ResourcePattern[] {
  const kinds = [...new Set(actions.map(resourceKindOf))];
  if (kinds.length > 1) {
    problems.add(
      path,
      'the actions speak of different things: connect of client ids, manage of routes, the others of topics',
      'Write one statement for each kind.',
    );
    return [];
  }
  const kind = kinds[0] ?? 'topic';
  return readList(problems, path, value, kind === 'client' ? '["d:demo:pump:*"]' : '["line-4/#"]', (text, at) => {
    const pattern = parseResourcePattern(text, kind, effect);
    if (pattern.ok) return pattern.value;
    problems.add(at, pattern.problem, CURES[kind], pattern.position);
    return undefined;
  });
}
