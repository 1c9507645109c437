/**
 * The value of a JSON text whose objects repeat no key; undefined for every other text, and for what only a slower look can judge: keys
 * with escapes, more levels than `deepest`.
 */
export function readJson(text: string, deepest: number): { readonly value: unknown } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return repeatsNoKey(text, deepest) ? { value } : undefined;
}

/** `text` is correct JSON. */
function repeatsNoKey(text: string, deepest: number): boolean {
  // Keys of the objects that are open; an open list has none.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      if (open.length > deepest) return false;
    } else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(text, end)) {
        const key = text.slice(at + 1, end);
        if (key.includes('\\') || keys.has(key)) return false;
        keys.add(key);
      }
      at = end;
    }
  }
  return true;
}

/** Where the string that begins at `at` has its closing quote. */
function endOfString(text: string, at: number): number {
  let end = at + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end;
}

/** A colon follows a key, and nothing else. */
function isKey(text: string, end: number): boolean {
  let next = end + 1;
  while (' \t\n\r'.includes(text[next]!)) next++;
  return text[next] === ':';
}
