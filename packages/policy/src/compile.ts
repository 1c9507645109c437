import { compileDocument } from './compile-document.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import type { PolicyDocument, PolicyProblem } from './document.ts';
import { locatorOf } from './parse.ts';
import type { Policy } from './policy.ts';
import { ProblemList } from './problem-list.ts';
import { indexStatements } from './statement-index.ts';

export type CompiledPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/**
 * Makes one policy of documents, or tells everything that is wrong with them. An id is used once among all statements that
 * can meet: those of one organisation and those of none. No documents make a policy that denies everything.
 */
export function compilePolicy(documents: readonly PolicyDocument[]): CompiledPolicy {
  const all: CompiledStatement[] = [];
  const problems: PolicyProblem[] = [];
  const seen = new Map<string, Set<string | undefined>>();
  for (const [index, document] of documents.entries()) {
    const list = new ProblemList(locatorOf(document), documents.length > 1 ? [`documents[${index}]`] : []);
    const statements = compileDocument(document, list);
    for (const statement of statements) {
      if (claim(seen, statement)) continue;
      list.add(
        ['statements', statement.position, 'id'],
        `the id "${statement.id}" is used twice`,
        'Give each statement an id of its own; decisions name it.',
      );
    }
    for (const statement of statements) all.push(statement);
    problems.push(...list.problems);
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, policy: { statements: all, index: indexStatements(all) } };
}

function claim(seen: Map<string, Set<string | undefined>>, { id, organisation }: CompiledStatement): boolean {
  const owners = seen.get(id);
  if (!owners) {
    seen.set(id, new Set([organisation]));
    return true;
  }
  const taken = organisation === undefined || owners.has(undefined) || owners.has(organisation);
  owners.add(organisation);
  return !taken;
}
