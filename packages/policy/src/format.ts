import { stringify } from 'yaml';
import type { PolicyDocument } from './document.ts';

/** Writes a document as YAML for people: what `parsePolicyDocument` reads back is the same document. */
export function formatPolicy(document: PolicyDocument): string {
  return stringify(document, { lineWidth: 120, aliasDuplicateObjects: false, version: '1.2' });
}
