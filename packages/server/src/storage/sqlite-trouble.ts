/** What an SQLite library has run into, whichever library it is. */
export type SqliteTrouble = 'busy' | 'damaged' | 'unusable' | 'full' | 'constraint' | 'other';

// Primary result codes of https://www.sqlite.org/rescode.html; extended codes carry them in their low byte.
const BY_CODE: Readonly<Record<number, SqliteTrouble>> = {
  3: 'unusable',
  5: 'busy',
  6: 'busy',
  8: 'unusable',
  10: 'unusable',
  11: 'damaged',
  13: 'full',
  14: 'unusable',
  19: 'constraint',
  26: 'damaged',
};

const BY_NAME: Readonly<Record<string, SqliteTrouble>> = {
  PERM: 'unusable',
  BUSY: 'busy',
  LOCKED: 'busy',
  READONLY: 'unusable',
  IOERR: 'unusable',
  CORRUPT: 'damaged',
  FULL: 'full',
  CANTOPEN: 'unusable',
  CONSTRAINT: 'constraint',
  NOTADB: 'damaged',
};

/** Undefined if the error does not come from SQLite. */
export function sqliteTrouble(error: unknown): SqliteTrouble | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as Error & { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === 'number') return BY_CODE[errcode & 0xff] ?? 'other';
  const name = typeof code === 'string' ? /^SQLITE_([A-Z]+)/.exec(code)?.[1] : undefined;
  return name === undefined ? undefined : (BY_NAME[name] ?? 'other');
}
