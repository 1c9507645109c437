import type { PolicyProblem } from './document.ts';
import { suggestion } from './suggestion.ts';

/** Where something is in a document: keys and indices from the root. */
export type Path = readonly (string | number)[];

/** In place of an offset: the key itself is meant, not its value. */
export const OF_KEY = -1;

/** Line and column, counted from 1, of what a path leads to; `offset` characters into it. */
export type Locate = (path: Path, offset: number) => { readonly line: number; readonly column: number } | undefined;

const MOST_PROBLEMS = 100;

/** Writes `statements[2].resources[0]`. */
function pathText(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** Gathers what is wrong with a document, each with its place; bounded, so that a hostile document cannot fill the memory. */
export class ProblemList {
  readonly problems: PolicyProblem[] = [];
  readonly #locate: Locate | undefined;
  readonly #prefix: Path;

  constructor(locate?: Locate, prefix: Path = []) {
    this.#locate = locate;
    this.#prefix = prefix;
  }

  add(path: Path, problem: string, cure: string, offset = 0): void {
    if (this.problems.length >= MOST_PROBLEMS) return;
    const place = this.#locate?.(path, offset);
    this.problems.push({ path: pathText([...this.#prefix, ...path]), ...place, problem, cure });
  }

  /** Reports each key of an object that is not among the known ones. */
  unknownKeys(path: Path, value: object, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      if (this.problems.length >= MOST_PROBLEMS) return;
      const meant = suggestion(key, known);
      const cure = meant ? `Did you mean "${meant}"?` : `Known keys are ${known.join(', ')}.`;
      this.add([...path, key], `unknown key "${key.slice(0, 64)}"`, cure, OF_KEY);
    }
  }
}

/** What kind of value it is, in the words of YAML. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MOST_ENTRIES = 1000;
const LONGEST_TEXT = 65_535;

/** A list of texts, each read by `read`; what cannot be read is reported and left out. One text alone is not a list. */
export function readList<T>(
  problems: ProblemList,
  path: Path,
  value: unknown,
  example: string,
  read: (text: string, path: Path) => T | undefined,
): readonly T[] {
  if (!Array.isArray(value)) {
    problems.add(path, `expected a list of texts, found ${kindOf(value)}`, `Write ${example}.`);
    return [];
  }
  if (value.length === 0) problems.add(path, 'the list is empty', `Write ${example}.`);
  if (value.length > MOST_ENTRIES) {
    problems.add(
      path,
      `the list has ${value.length} entries, at most ${MOST_ENTRIES} are allowed`,
      'Split the statement.',
    );
    return [];
  }
  const found: T[] = [];
  for (const [index, entry] of value.entries()) {
    const at = [...path, index];
    if (typeof entry !== 'string') {
      problems.add(at, `expected a text, found ${kindOf(entry)}`, `Write it in quotes: ${example}.`);
    } else if (entry.length > LONGEST_TEXT) {
      problems.add(at, `the text is longer than ${LONGEST_TEXT} characters`, 'Shorten it.');
    } else {
      const item = read(entry, at);
      if (item !== undefined) found.push(item);
    }
  }
  return found;
}

/** One of the words that are known here. */
export function readWord<T extends string>(
  problems: ProblemList,
  path: Path,
  value: unknown,
  known: readonly T[],
): T | undefined {
  const word = known.find((one) => one === value);
  if (word !== undefined) return word;
  const meant = typeof value === 'string' ? suggestion(value, known) : undefined;
  const found = typeof value === 'string' ? `"${value.slice(0, 64)}"` : kindOf(value);
  problems.add(
    path,
    `expected one of ${known.join(', ')}, found ${found}`,
    meant ? `Did you mean "${meant}"?` : 'Write one of these words.',
  );
  return undefined;
}
