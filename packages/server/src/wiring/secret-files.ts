import { readFileSync } from 'node:fs';
import { Failure } from '@sallyport/model';
import { readPrivateFile } from '../storage/private-file.ts';

/** The text of a file with a secret, without blanks around it. Throws `key_material_invalid` unless only its owner may read it. */
export function secretOf(path: string): string {
  const found = readPrivateFile(path);
  if (found !== undefined) return found.toString('utf8').trim();
  throw new Failure('key_material_invalid', `The file ${path} does not exist.`, { cure: 'Write the secret into it.' });
}

/** The secret that signs requests to a web service. Throws `configuration_invalid` if it is missing or short. */
export function signingSecret(key: string, path: string): Buffer {
  if (path === '') throw incomplete(`${key}.secretFile`, `is empty, and ${key}.url is set`);
  const secret = Buffer.from(secretOf(path));
  if (secret.length < 16) throw incomplete(`${key}.secretFile`, 'names a file with less than 16 characters');
  return secret;
}

/** PEM of authorities; nothing where no file is named. Throws `configuration_invalid`. */
export function trusted(key: string, path: string): { readonly ca?: string } {
  if (path === '') return {};
  try {
    return { ca: readFileSync(path, 'utf8') };
  } catch (cause) {
    throw incomplete(key, `names ${path}, which cannot be read`, cause);
  }
}

/** Something is configured by half. */
export function incomplete(key: string, problem: string, cause?: unknown): Failure {
  return new Failure('configuration_invalid', `The configuration is not valid: ${key}: ${problem}.`, { cause });
}
