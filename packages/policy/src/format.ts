import { Document, isScalar, isSeq, visit } from 'yaml';
import type { PolicyDocument } from './document.ts';

const SHORT_LISTS = ['principals', 'roles', 'actions'];

/** Writes a document as YAML for people: what `parsePolicyDocument` reads back is the same document. */
export function formatPolicy(document: PolicyDocument): string {
  const yaml = new Document(document, { aliasDuplicateObjects: false });
  visit(yaml, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isSeq(value)) return;
      if (SHORT_LISTS.includes(String(key.value))) value.flow = true;
      if (key.value === 'statements') separate(value.items);
    },
  });
  return yaml.toString({ lineWidth: 120, flowCollectionPadding: false });
}

function separate(items: readonly unknown[]): void {
  for (const item of items.slice(1)) (item as { spaceBefore?: boolean }).spaceBefore = true;
}
