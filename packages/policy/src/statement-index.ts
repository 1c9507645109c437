import type { CompiledStatement } from './compiled-statement.ts';
import { ACTIONS, type Action } from './decision.ts';
import { type ResourcePattern, resourceKindOf } from './resource-pattern.ts';

/** Below this a list is as fast as a tree. */
const SMALL = 8;

/** Statements by the levels of their resources. A level that is not plain text leads to `any`. */
interface Node {
  readonly literals: Map<string, Node>;
  any?: Node;
  /** Resources that end here. */
  readonly here: CompiledStatement[];
  /** Resources that take everything from here on. */
  readonly open: CompiledStatement[];
}

interface Bucket {
  readonly all: CompiledStatement[];
  tree?: Node;
}

/** Finds quickly, among very many statements, the few that may apply. What it finds still has to be weighed; what it leaves out cannot apply. */
export interface StatementIndex {
  readonly buckets: ReadonlyMap<string, Bucket>;
}

/** Files statements under action and principal, and within large groups under the levels of their resources. */
export function indexStatements(statements: readonly CompiledStatement[]): StatementIndex {
  const buckets = new Map<string, Bucket>();
  for (const statement of statements) {
    const keys = new Set(statement.principals.map((pattern) => pattern.key));
    for (const action of statement.actions) {
      for (const key of keys) {
        const name = bucketName(action, key);
        const bucket = buckets.get(name);
        if (bucket) bucket.all.push(statement);
        else buckets.set(name, { all: [statement] });
      }
    }
  }
  for (const action of ACTIONS) {
    for (const [name, bucket] of buckets) {
      if (bucket.all.length > SMALL && name.startsWith(`${action} `)) bucket.tree = grow(bucket.all, action);
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

/** Hands every statement of the groups that may select the resource to `visit`; one may come more than once. */
export function eachCandidate(
  buckets: readonly Bucket[],
  action: Action,
  resource: string,
  visit: (statement: CompiledStatement) => void,
): void {
  let levels: readonly string[] | undefined;
  for (const bucket of buckets) {
    if (!bucket.tree) {
      for (const statement of bucket.all) visit(statement);
    } else {
      levels ??= action === 'connect' ? [resource] : resource.split('/');
      walk(bucket.tree, levels, 0, visit);
    }
  }
}

function bucketName(action: Action, key: string): string {
  return `${action} ${key}`;
}

function grow(statements: readonly CompiledStatement[], action: Action): Node {
  const root = emptyNode();
  for (const statement of statements) {
    for (const pattern of statement.resources) plant(root, pattern, statement, action);
  }
  return root;
}

function plant(root: Node, pattern: ResourcePattern, statement: CompiledStatement, action: Action): void {
  const kind = resourceKindOf(action);
  if (kind === 'client') {
    const literal = !pattern.template && !pattern.text.endsWith('*');
    if (literal) child(root, pattern.text).here.push(statement);
    else root.open.push(statement);
    return;
  }
  let node = root;
  for (const level of pattern.text.split('/')) {
    const filled = level.includes('${');
    // A deny that cannot be filled in safely takes everything from that level on.
    if (level === '#' || (filled && pattern.effect === 'deny')) {
      node.open.push(statement);
      return;
    }
    if (level === '+' || filled) {
      node.any ??= emptyNode();
      node = node.any;
    } else {
      node = child(node, level);
    }
  }
  node.here.push(statement);
}

function walk(
  node: Node,
  levels: readonly string[],
  depth: number,
  visit: (statement: CompiledStatement) => void,
): void {
  for (const statement of node.open) visit(statement);
  const level = levels[depth];
  if (level === undefined) {
    for (const statement of node.here) visit(statement);
    return;
  }
  if (node.any) walk(node.any, levels, depth + 1, visit);
  const literal = node.literals.get(level);
  if (literal) walk(literal, levels, depth + 1, visit);
}

function child(node: Node, level: string): Node {
  let found = node.literals.get(level);
  if (!found) {
    found = emptyNode();
    node.literals.set(level, found);
  }
  return found;
}

function emptyNode(): Node {
  return { literals: new Map(), here: [], open: [] };
}
