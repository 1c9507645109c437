import type { z } from 'zod';
import { keyAt, keysOf } from './keys.ts';
import { nearestWord } from './nearest-word.ts';
import type { Path, Source } from './source.ts';

/** One line for each thing that does not fit: where, which key, what was found, what is expected. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], source: Source): string[] {
  return issues.flatMap((issue) => {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, source));
    const found = source.found(path);
    return `${source.where(path)}: ${written(path)} is ${shown(found)}; expected ${keyAt(path)?.expected ?? 'something else'}`;
  });
}

function unknownKey(path: Path, key: string, source: Source): string {
  const here = written(path);
  const place = `${source.whereKey(path, key)}: "${clip(key)}" is not a key${here === '' ? '' : ` of ${here}`}`;
  const nearest = nearestWord(key, keysOf(path));
  if (nearest !== undefined) return `${place}; did you mean "${nearest}"?`;
  return `${place}; there are ${keysOf(path).join(', ')}`;
}

function written(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : clip(step)))
    .join('.')
    .replaceAll('.[', '[');
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  return clip(JSON.stringify(value));
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
