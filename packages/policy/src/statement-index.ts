// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import type { CompiledStatement } from './compiled-statement.ts';
import type { Action } from './decision.ts';
import { type ResourcePattern, resourceKindOf } from './resource-pattern.ts';

/** One resource of one statement: what is found and weighed. */
export interface Candidate {
  readonly statement: CompiledStatement;
  readonly pattern: ResourcePattern;
}

/** Resources by their levels. A level that is not plain text leads to `any`. */
interface Node {
  literals?: Map<string, Node>;
  any?: Node;
  /** Resources that end here. */
  here?: Candidate[];
  /** Resources that take everything from here on. */
  open?: Candidate[];
}

/** The statements for one action and one principal pattern; their tree grows when it is first needed. */
export interface Bucket {
  readonly action: Action;
  readonly statements: CompiledStatement[];
  tree?: Node;
}

/** Finds quickly, among very many statements, the few that may apply. What it finds still has to be weighed; what it leaves out cannot apply. */
export interface StatementIndex {
  readonly buckets: ReadonlyMap<string, Bucket>;
}

/** Files statements under action and principal. */
export function indexStatements(statements: readonly CompiledStatement[]): StatementIndex {
  const buckets = new Map<string, Bucket>();
  for (const statement of statements) {
    for (const action of statement.actions) {
      for (const key of new Set(statement.principals.map((pattern) => pattern.key))) {
        const name = bucketName(action, key);
        const bucket = buckets.get(name);
        if (bucket) bucket.statements.push(statement);
        else buckets.set(name, { action, statements: [statement] });
      }
    }
  }
  return { buckets };
}

/** The groups that can hold statements for a principal and an action. */
export function bucketsFor(index: StatementIndex, action: Action, keys: readonly string[]): readonly Bucket[] {
  const found: Bucket[] = [];
  for (const key of keys) {
    const bucket = index.buckets.get(bucketName(action, key));
    if (bucket) found.push(bucket);
  }
  return found;
}

/** Hands over every resource of the groups that may select what is asked. */
export function eachCandidate(
  buckets: readonly Bucket[],
  action: Action,
  asked: string,
  visit: (candidate: Candidate) => void,
): void {
  const levels = action === 'connect' ? [asked] : asked.split('/');
  for (const bucket of buckets) {
    bucket.tree ??= grow(bucket);
    walk(bucket.tree, levels, 0, visit);
  }
}

function bucketName(action: Action, key: string): string {
  return `${action} ${key}`;
}

function grow({ statements, action }: Bucket): Node {
  const root: Node = {};
  for (const statement of statements) {
    for (const pattern of statement.resources) plant(root, { statement, pattern }, action);
  }
  return root;
}

function plant(root: Node, candidate: Candidate, action: Action): void {
  const { pattern } = candidate;
  if (resourceKindOf(action) === 'client') {
    const literal = !pattern.template && !pattern.text.endsWith('*');
    if (literal) end(child(root, pattern.text), candidate);
    else open(root, candidate);
    return;
  }
  let node = root;
  for (const level of pattern.text.split('/')) {
    const filled = level.includes('${');
    // A deny that cannot be filled in safely takes everything from that level on.
    if (level === '#' || (filled && pattern.effect === 'deny')) {
      open(node, candidate);
      return;
    }
    if (level === '+' || filled) {
      node.any ??= {};
      node = node.any;
    } else {
      node = child(node, level);
    }
  }
  end(node, candidate);
}

function walk(node: Node, levels: readonly string[], depth: number, visit: (candidate: Candidate) => void): void {
  if (node.open) for (const candidate of node.open) visit(candidate);
  const level = levels[depth];
  if (level === undefined) {
    if (node.here) for (const candidate of node.here) visit(candidate);
    return;
  }
  if (node.any) walk(node.any, levels, depth + 1, visit);
  const literal = node.literals?.get(level);
  if (literal) walk(literal, levels, depth + 1, visit);
}

function child(node: Node, level: string): Node {
  node.literals ??= new Map();
  let found = node.literals.get(level);
  if (!found) {
    found = {};
    node.literals.set(level, found);
  }
  return found;
}

function end(node: Node, candidate: Candidate): void {
  node.here ??= [];
  node.here.push(candidate);
}

function open(node: Node, candidate: Candidate): void {
  node.open ??= [];
  node.open.push(candidate);
}
