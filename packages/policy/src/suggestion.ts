/** Characters beyond this are not compared, so that a stranger's long text costs nothing. */
const MOST_COMPARED = 64;

/** How many characters must be inserted, removed or replaced to make one text the other (Levenshtein distance). */
export function editDistance(one: string, other: string): number {
  const a = one.slice(0, MOST_COMPARED);
  const b = other.slice(0, MOST_COMPARED);
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The known word that was probably meant, if one is near enough. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 2)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}
