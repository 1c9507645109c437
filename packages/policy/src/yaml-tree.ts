import {
  Composer,
  type CST,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { OF_KEY, type Path } from './problem-list.ts';
import { readJson } from './read-json.ts';

const MOST_CHARACTERS = 2_097_152;
const DEEPEST = 32;

export interface Place {
  readonly line: number;
  readonly column: number;
}

export type Tree =
  | { readonly ok: true; readonly value: unknown; locate(path: Path, offset: number): Place | undefined }
  | { readonly ok: false; readonly problem: string; readonly place: Place };

class Refused extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Reads YAML or JSON as plain values with their places. Bounded: at most 2 MiB and 32 levels deep; anchors, tags, several
 * documents, and keys that are no text or come twice are refused.
 */
export function readTree(text: string): Tree {
  const json = text.length > MOST_CHARACTERS ? undefined : readJson(text, DEEPEST);
  if (json === undefined) return readYaml(text);
  // Places are asked for only where something is wrong, and cost a hundred times what the values cost.
  let tree: Tree | undefined;
  return {
    ok: true,
    value: json.value,
    locate(path, offset) {
      tree ??= readYaml(text);
      return tree.ok ? tree.locate(path, offset) : undefined;
    },
  };
}

function readYaml(text: string): Tree {
  const lines = new LineCounter();
  try {
    const root = compose(text, lines);
    return {
      ok: true,
      value: root ? plain(root) : null,
      locate: (path, offset) => (root ? placeOf(root, path, offset, lines) : { line: 1, column: 1 }),
    };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, problem: error.message, place: lineAndColumn(lines, error.offset) };
  }
}

function compose(text: string, lines: LineCounter): Node | null {
  if (text.length > MOST_CHARACTERS) throw new Refused(`the text has more than ${MOST_CHARACTERS} characters`, 0);
  const tokens: CST.Token[] = [];
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  // Depth is bounded here, where nothing is recursive yet.
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > 2 * DEEPEST)
      throw new Refused(`the text is nested more than ${DEEPEST} levels deep`, parser.offset);
  }
  for (const token of parser.end()) tokens.push(token);

  // Its own search for repeated keys takes quadratic time; `plain` does it.
  const composer = new Composer({
    lineCounter: lines,
    uniqueKeys: false,
    merge: false,
    schema: 'core',
    logLevel: 'silent',
  });
  const [document, second] = [...composer.compose(tokens)];
  const error = document?.errors[0];
  if (error) throw new Refused(error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''), error.pos[0]);
  if (second) throw new Refused('there is more than one document in the text', second.range[0]);
  return document?.contents ?? null;
}

function plain(node: unknown): unknown {
  if (isScalar(node)) {
    refuseProperties(node);
    return node.value;
  }
  if (isSeq(node)) {
    refuseProperties(node);
    return node.items.map(plain);
  }
  if (isMap(node)) {
    refuseProperties(node);
    const entries = new Map<string, unknown>();
    for (const { key, value } of node.items) {
      const at = startOf(key) ?? startOf(node) ?? 0;
      if (!isScalar(key) || typeof key.value !== 'string') throw new Refused('a key must be a text', at);
      refuseProperties(key);
      if (entries.has(key.value)) throw new Refused(`the key "${key.value.slice(0, 64)}" comes twice`, at);
      entries.set(key.value, plain(value));
    }
    return Object.fromEntries(entries);
  }
  if (node === null || node === undefined) return null;
  throw new Refused('anchors and aliases are not used in policies', startOf(node) ?? 0);
}

function refuseProperties(node: Scalar | YAMLMap | YAMLSeq): void {
  if (node.tag !== undefined) throw new Refused('tags are not used in policies', startOf(node) ?? 0);
  if (node.anchor !== undefined) throw new Refused('anchors and aliases are not used in policies', startOf(node) ?? 0);
}

function placeOf(root: Node, path: Path, offset: number, lines: LineCounter): Place {
  let node: unknown = root;
  let start = startOf(root) ?? 0;
  let within = 0;
  for (const [depth, part] of path.entries()) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (!pair) break;
      start = startOf(pair.key) ?? start;
      next = offset === OF_KEY && depth === path.length - 1 ? null : pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      next = node.items[part];
    }
    if (next === undefined || next === null) break;
    start = startOf(next) ?? start;
    node = next;
  }
  if (isScalar(node) && offset > 0)
    within = offset + (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0);
  return lineAndColumn(lines, start + within);
}

function startOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0];
}

function lineAndColumn(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
