/** What a schema found, as far as a sentence needs it. */
export interface SchemaIssue {
  readonly code: string;
  readonly message?: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/**
 * Says in plain words what is wrong with a value, as the rest of a sentence that begins with its name. Of the value itself
 * it tells kind and length only: it may be a secret.
 */
export function plainProblem({ code, message, params }: SchemaIssue, value: unknown): string {
  if (value === undefined) return ['is missing', ...choices(params)].join('; write ');
  switch (code) {
    case 'invalid_type':
      return `is ${kindOf(value, params.expected)}; it must be ${KINDS[String(params.expected)] ?? 'of another kind'}`;
    case 'too_small':
      if (typeof value !== 'string' || params.origin !== 'string')
        return `is too small; the least is ${params.minimum}`;
      return value === '' ? 'is empty' : `has ${characters(value.length)}; it needs ${params.minimum} or more`;
    case 'too_big':
      if (typeof value !== 'string' || params.origin !== 'string') return `is too large; the most is ${params.maximum}`;
      return `has ${characters(value.length)}; at most ${params.maximum} are allowed`;
    case 'invalid_value':
      return ['is not allowed', ...choices(params)].join('; write ');
    case 'invalid_union':
      return isAddress(params) ? 'is no IPv4 or IPv6 address' : 'does not fit any of the allowed forms';
    case 'invalid_format':
      if (params.format === 'datetime') return 'is no moment; write for example 2026-01-31T12:00:00Z';
      return message === undefined || message.startsWith('Invalid') ? 'does not have the right form' : message;
    default:
      return message ?? 'does not fit';
  }
}

/** Joins a name and a problem to a sentence. */
export function problemSentence(name: string, problem: string): string {
  return /^(is|has|does|may|must|needs)\b/.test(problem) ? `${name} ${problem}` : `${name}: ${problem}`;
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`;
}

function choices({ values }: SchemaIssue['params']): string[] {
  return Array.isArray(values) && values.length > 0 ? [`one of ${values.join(', ')}`] : [];
}

function isAddress({ errors }: SchemaIssue['params']): boolean {
  const found = Array.isArray(errors) ? (errors.flat() as { format?: unknown }[]) : [];
  return found.length > 0 && found.every(({ format }) => format === 'ipv4' || format === 'ipv6');
}

function kindOf(value: unknown, expected: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  // In a path or a query everything is written as text; a number that cannot be read is no number.
  if (typeof value === 'string' && (expected === 'number' || expected === 'int')) return 'no number';
  return KINDS[typeof value] ?? 'of another kind';
}
