import { Failure, type Metadata, type Parsed } from '@sallyport/model';

const LONGEST_DESCRIPTION = 1024;
const LARGEST_METADATA = 16 * 1024;
const CONTROL = /\p{Cc}/u;

/** The value of a parser, or the failure `invalid_request` that names field, problem and position. */
export function checked<T>(field: string, answer: Parsed<T>): T {
  if (answer.ok) return answer.value;
  throw invalid(field, `${answer.problem} (at character ${answer.position + 1})`);
}

/** `invalid_request` for one field. Problems never quote a secret. */
export function invalid(field: string, problem: string): Failure {
  return new Failure('invalid_request', `${field}: ${problem}.`);
}

export function notFound(target: string): Failure {
  return new Failure('not_found', `${target} does not exist.`);
}

export function alreadyExists(target: string): Failure {
  return new Failure('already_exists', `${target} exists already.`);
}

/** One of a closed list of words. */
export function checkedWord<T extends string>(field: string, value: string, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw invalid(field, `${JSON.stringify(value.slice(0, 64))} is none of ${words.join(', ')}`);
  return found;
}

export function checkedName(field: string, value: string): string {
  if (value.trim() === '' || value.length > 128) throw invalid(field, 'a name has 1 to 128 characters');
  const control = CONTROL.exec(value);
  if (control) throw invalid(field, `a name has no control characters (at character ${control.index + 1})`);
  return value;
}

/** A description for a row: `undefined` and `null` are none. */
export function checkedDescription(value: string | null | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (value.length > LONGEST_DESCRIPTION) {
    throw invalid(
      'description',
      `a description has at most ${LONGEST_DESCRIPTION} characters, this one has ${value.length}`,
    );
  }
  return value;
}

/** Metadata as JSON for a row: `undefined` and `null` are none. */
export function checkedMetadata(value: Metadata | null | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid('metadata', 'it is an object of names and values');
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) > LARGEST_METADATA) throw invalid('metadata', 'it has at most 16 KiB as JSON');
  return json;
}

/** The end of a credential: milliseconds since the epoch, in the future. */
export function checkedExpiry(value: number | undefined, now: number): number | null {
  if (value === undefined) return null;
  if (!Number.isSafeInteger(value) || value <= now) throw invalid('expiresAt', 'a credential ends in the future');
  return value;
}
