import type { FieldProblem } from '@sallyport/model';
import { broadStatements, compilePolicy, formatPolicy, parsePolicyDocument, WATSON_POLICY } from '@sallyport/policy';
import type { PolicyDesk } from './api-options.ts';

const OWN_DOCUMENT = /^documents\[1\]\.?/;

/** Judges texts as the authorizer will: together with the built-in statements, whose ids are taken. */
export function policyDesk(): PolicyDesk {
  return {
    builtin: formatPolicy(WATSON_POLICY),
    broad(text) {
      const own = parsePolicyDocument(text);
      return own.ok ? broadStatements(own.document) : [];
    },
    check(text): readonly FieldProblem[] {
      const own = parsePolicyDocument(text);
      if (!own.ok) return own.problems;
      const compiled = compilePolicy([WATSON_POLICY, own.document]);
      if (compiled.ok) return [];
      return compiled.problems.map((one) => ({ ...one, path: one.path.replace(OWN_DOCUMENT, '') }));
    },
  };
}
