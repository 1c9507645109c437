import { compileDocument } from './compile-document.ts';
import type { PolicyDocument, PolicyProblem } from './document.ts';
import { type Locate, ProblemList } from './problem-list.ts';
import { readTree, type Tree } from './yaml-tree.ts';

export type ParsedPolicyDocument =
  | { readonly ok: true; readonly document: PolicyDocument }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** The texts that documents were read from, so that later problems can be told with their place. */
const SOURCES = new WeakMap<object, string>();

/**
 * Reads and checks a policy document of YAML or JSON text, at most 2 MiB. Every problem has its path, line and column.
 */
export function parsePolicyDocument(text: string): ParsedPolicyDocument {
  const tree = readTree(text);
  if (!tree.ok) {
    return {
      ok: false,
      problems: [{ path: '', ...tree.place, problem: tree.problem, cure: 'Write plain YAML or JSON.' }],
    };
  }
  const list = new ProblemList((path, offset) => tree.locate(path, offset));
  compileDocument(tree.value, list);
  if (list.problems.length > 0) return { ok: false, problems: list.problems };
  const document = tree.value as PolicyDocument;
  SOURCES.set(document, text);
  return { ok: true, document };
}

/** Finds places in the text that a document was read from, if it was. */
export function locatorOf(document: unknown): Locate | undefined {
  const text = typeof document === 'object' && document !== null ? SOURCES.get(document) : undefined;
  if (text === undefined) return undefined;
  let tree: Tree | undefined;
  return (path, offset) => {
    tree ??= readTree(text);
    return tree.ok ? tree.locate(path, offset) : undefined;
  };
}
