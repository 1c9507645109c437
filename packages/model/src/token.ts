import { type Parsed, parsed, unparsed } from './parsed.ts';

const SHORTEST = 8;
const LONGEST = 36;
const STRANGER = /[^A-Za-z0-9_.!&@?*+()-]/;
const LONG_RUN = /(.)\1{3}/;
const REPEATED_SEQUENCE = /(.{3,})\1|(..)\2\2/;
const FEWEST_DIFFERENT = 5;
const SHORTEST_NAME = 3;
/** What must be left of a token when its trivial words are taken out. */
const SHORTEST_REST = 6;

const TRIVIAL = [
  'use-token-auth',
  'password',
  'passwort',
  'changeme',
  'letmein',
  'welcome',
  'default',
  'sallyport',
  'watson',
  'gateway',
  'device',
  'secret',
  'qwerty',
  'qwertz',
  'asdfgh',
  'monkey',
  'dragon',
  'admin',
  'token',
  'guest',
  'test',
  'root',
];
const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl'];
const LONGEST_ROW = 5;

/**
 * Reads a token that a person has chosen: 8 to 36 letters, digits and `_ . ! & @ ? * + ( ) -`, without repeated
 * sequences, rows of the alphabet or keyboard, the given names (device, type, organisation, user), or little more than a
 * trivial word. Problems never quote the token.
 */
export function parseChosenToken(text: string, names: readonly string[]): Parsed<string> {
  if (text.length < SHORTEST || text.length > LONGEST) {
    return unparsed(`a token has ${SHORTEST} to ${LONGEST} characters, this one has ${text.length}`);
  }
  const stranger = STRANGER.exec(text);
  if (stranger) return unparsed('a token consists of letters, digits and _ . ! & @ ? * + ( ) -', stranger.index);

  const repetition = LONG_RUN.exec(text) ?? REPEATED_SEQUENCE.exec(text);
  if (repetition) return unparsed('a token may not repeat a sequence of characters', repetition.index);
  const lower = text.toLowerCase();
  if (new Set(lower).size < FEWEST_DIFFERENT)
    return unparsed(`a token has at least ${FEWEST_DIFFERENT} different characters`);

  for (const name of names) {
    const at = name.length < SHORTEST_NAME ? -1 : lower.indexOf(name.toLowerCase());
    if (at >= 0) return unparsed('a token may not contain the name of what it belongs to', at);
  }
  const row = rowAt(lower);
  if (row >= 0) return unparsed('a token may not contain a row of the alphabet or of the keyboard', row);
  const rest = TRIVIAL.reduce((left, word) => left.replaceAll(word, ''), lower);
  if (rest.length < SHORTEST_REST && rest.length < lower.length) {
    return unparsed('a token may not be little more than a word that everybody tries first');
  }
  return parsed(text);
}

function rowAt(lower: string): number {
  for (let at = 0; at + LONGEST_ROW <= lower.length; at++) {
    const piece = lower.slice(at, at + LONGEST_ROW);
    const reversed = [...piece].reverse().join('');
    if (ROWS.some((row) => row.includes(piece) || row.includes(reversed))) return at;
  }
  return -1;
}
