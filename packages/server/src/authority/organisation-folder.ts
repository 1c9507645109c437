import { join } from 'node:path';

const KEPT = /[a-z0-9_]/;

/**
 * Folder of the authority of an organisation within the key material. Whatever an id may hold besides small letters, digits and `_`
 * is written as `%` and two digits: ids may be `..`, and some file systems do not tell letter case apart.
 */
export function organisationFolder(directory: string, organisation: string): string {
  const name = [...organisation].map((letter) => (KEPT.test(letter) ? letter : escaped(letter))).join('');
  return join(directory, name);
}

/** The organisation of a folder that {@link organisationFolder} named; undefined for any other name. */
export function organisationOfFolder(name: string): string | undefined {
  if (!/^([a-z0-9_]|%[0-9a-f]{2})+$/.test(name)) return undefined;
  return name.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function escaped(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
