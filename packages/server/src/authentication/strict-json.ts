/** Deeper nesting than this is nothing that a token needs. */
const DEEPEST = 16;

/**
 * Reads a JSON object in which no name comes twice: of two claims of one name, different readers believe different ones (RFC 7519
 * section 4). Undefined if it is not JSON, no object, ambiguous, or nested too deeply.
 */
export function parseStrictObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return unambiguous(text) ? (value as Readonly<Record<string, unknown>>) : undefined;
}

/** Walks over a text that is JSON already: only strings, braces and colons matter then. */
function unambiguous(text: string): boolean {
  const names: (Set<string> | undefined)[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === '{' || character === '[') {
      names.push(character === '{' ? new Set() : undefined);
      if (names.length > DEEPEST) return false;
      at++;
    } else if (character === '}' || character === ']') {
      names.pop();
      at++;
    } else if (character === '"') {
      const end = stringEnd(text, at);
      const after = skipSpace(text, end);
      const here = names.at(-1);
      if (here !== undefined && text[after] === ':') {
        // Decoded, or an escape would make a second name of the first.
        const name = JSON.parse(text.slice(at, end)) as string;
        if (here.has(name)) return false;
        here.add(name);
        at = after + 1;
      } else at = end;
    } else at++;
  }
  return true;
}

/** Index behind the closing quote of the string that begins at `from`. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++;
  return at;
}
