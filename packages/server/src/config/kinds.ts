import { isIP } from 'node:net';
import { z } from 'zod';

/** Milliseconds. Written with a unit in files: `250ms`, `30s`, `10m`, `2h`, `7d`. */
export type Duration = number;
/** Bytes. Written with a unit in files: `512B`, `128KiB`, `16MiB`, `1GiB`. */
export type Size = number;

/** What the reference and the error messages say about a key. */
export interface KeyMeta {
  readonly description: string;
  readonly type: string;
  readonly bounds: string;
  readonly default: string;
  /** Completes "expected …". */
  readonly expected: string;
  /** Bounds on clients only: what happens when it is met. */
  readonly reached?: string;
}

interface Bounded<T> {
  readonly default: T;
  readonly minimum: T;
  readonly maximum: T;
  readonly meaning: string;
  /** Bounds on clients only: what happens when it is met. */
  readonly reached?: string;
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function measure(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^([0-9]{1,15})([A-Za-z]{1,3})$/.exec(text);
  const unit = match && Object.hasOwn(units, match[2] ?? '') ? units[match[2] ?? ''] : undefined;
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

function reachedOf({ reached }: { readonly reached?: string }): { readonly reached?: string } {
  return reached === undefined ? {} : { reached };
}

/** Reads `30s`; undefined if the text is no duration. */
function parseDuration(text: string): Duration | undefined {
  return measure(text, DURATION_UNITS);
}

/** Reads `128KiB`; undefined if the text is no size. */
function parseSize(text: string): Size | undefined {
  return measure(text, SIZE_UNITS);
}

function measured(what: string, read: (text: string) => number | undefined, key: Bounded<string>) {
  const minimum = read(key.minimum) ?? 0;
  const maximum = read(key.maximum) ?? 0;
  const expected = `a ${what} with its unit from ${key.minimum} to ${key.maximum}, such as ${key.default}`;
  return z
    .string()
    .transform((text, context): number => {
      const value = read(text);
      if (value !== undefined && value >= minimum && value <= maximum) return value;
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    })
    .prefault(key.default)
    .meta({
      description: key.meaning,
      type: what,
      bounds: `${key.minimum} to ${key.maximum}`,
      default: key.default,
      expected,
      ...reachedOf(key),
    } satisfies KeyMeta);
}

export function duration(key: Bounded<string>) {
  return measured('duration', parseDuration, key);
}

export function size(key: Bounded<string>) {
  return measured('size', parseSize, key);
}

export function count(key: Bounded<number>) {
  return z
    .int()
    .min(key.minimum)
    .max(key.maximum)
    .prefault(key.default)
    .meta({
      description: key.meaning,
      type: 'number',
      bounds: `${key.minimum} to ${key.maximum}`,
      default: String(key.default),
      expected: `a whole number from ${key.minimum} to ${key.maximum}`,
      ...reachedOf(key),
    } satisfies KeyMeta);
}

/** So many per second, or the word `unlimited`, which is read as Infinity. */
export function rate(key: {
  readonly default: number | 'unlimited';
  readonly minimum: number;
  readonly maximum: number;
  readonly meaning: string;
  readonly reached?: string;
}) {
  const bounds = `${key.minimum} to ${key.maximum}, or unlimited`;
  return z
    .union([z.int().min(key.minimum).max(key.maximum), z.literal('unlimited')])
    .transform((value): number => (value === 'unlimited' ? Number.POSITIVE_INFINITY : value))
    .prefault(key.default)
    .meta({
      description: key.meaning,
      type: 'number per second',
      bounds,
      default: String(key.default),
      expected: `a whole number from ${bounds}`,
      ...reachedOf(key),
    } satisfies KeyMeta);
}

/** So many bytes per second, written as a size, or the word `unlimited`, which is read as Infinity. */
export function byteRate(key: Bounded<string>) {
  const minimum = parseSize(key.minimum) ?? 0;
  const maximum = parseSize(key.maximum) ?? 0;
  const bounds = `${key.minimum} to ${key.maximum}, or unlimited`;
  const expected = `a size with its unit from ${bounds}, such as ${key.default}`;
  return z
    .string()
    .transform((text, context): number => {
      const value = text === 'unlimited' ? Number.POSITIVE_INFINITY : parseSize(text);
      if (value !== undefined && (value === Number.POSITIVE_INFINITY || (value >= minimum && value <= maximum))) {
        return value;
      }
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    })
    .prefault(key.default)
    .meta({
      description: key.meaning,
      type: 'size per second',
      bounds,
      default: key.default,
      expected,
      ...reachedOf(key),
    } satisfies KeyMeta);
}

export function port(key: { readonly default: number; readonly meaning: string }) {
  return count({ ...key, minimum: 0, maximum: 65_535 });
}

export function choice<const T extends readonly [string, ...string[]]>(key: {
  readonly of: T;
  readonly default: NoInfer<T[number]>;
  readonly meaning: string;
}) {
  const bounds = key.of.join(', ');
  return z
    .enum(key.of)
    .prefault(key.default as never)
    .meta({
      description: key.meaning,
      type: 'word',
      bounds,
      default: key.default,
      expected: `one of ${bounds}`,
    } satisfies KeyMeta);
}

export function flag(key: { readonly default: boolean; readonly meaning: string }) {
  return z
    .boolean()
    .prefault(key.default)
    .meta({
      description: key.meaning,
      type: 'true or false',
      bounds: '',
      default: String(key.default),
      expected: 'true or false',
    } satisfies KeyMeta);
}

/** A text that `fits`. */
export function text(key: {
  readonly default: string;
  readonly meaning: string;
  readonly type: string;
  readonly expected: string;
  readonly fits: (value: string) => boolean;
}) {
  return z
    .string()
    .refine(key.fits)
    .prefault(key.default)
    .meta({
      description: key.meaning,
      type: key.type,
      bounds: '',
      default: key.default === '' ? 'nothing' : key.default,
      expected: key.expected,
    } satisfies KeyMeta);
}

/** An IP address of this machine to listen on. */
export function address(meaning: string) {
  return text({
    default: '127.0.0.1',
    meaning,
    type: 'IP address',
    expected: 'an IP address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0 (all addresses)',
    fits: (value) => isIP(value) !== 0,
  });
}

const HOST_NAME = /^(?=.{1,253}$)(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/;

export function hostNames(key: { readonly default: readonly string[]; readonly meaning: string }) {
  return z
    .array(z.string().refine((value) => HOST_NAME.test(value) || isIP(value) !== 0))
    .max(100)
    .prefault([...key.default])
    .meta({
      description: key.meaning,
      type: 'list of names',
      bounds: 'at most 100',
      default: key.default.length === 0 ? 'none' : key.default.join(', '),
      expected: 'a list of host names or IP addresses',
    } satisfies KeyMeta);
}

/** A group of keys. A key that is not in it is an error, because it is a misspelled one. */
export function section<S extends z.core.$ZodLooseShape>(description: string, shape: S) {
  return z
    .strictObject(shape)
    .prefault({} as never)
    .meta({ description, section: true, expected: 'a section with keys below it' });
}
