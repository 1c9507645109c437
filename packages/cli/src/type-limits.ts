import { TYPE_LIMIT_NAMES, TYPE_LIMITS, type TypeLimitName, type TypeLimits } from '@sallyport/model';
import { UsageError } from './report-failure.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/**
 * The bounds of a device type after a change by words like `maximumMessageRate=50` and `maximumQueuedSize=1MiB`; nothing behind the sign
 * takes the one of the configuration again. Throws `UsageError`.
 */
export function changedLimits(before: TypeLimits, words: readonly string[]): TypeLimits {
  const after: { -readonly [N in TypeLimitName]?: number } = { ...before };
  for (const word of words) {
    const [, name = '', text = ''] = /^([A-Za-z]+)=(.*)$/.exec(word) ?? [];
    if (!isLimit(name)) {
      throw new UsageError(`"${word}" names no bound.`, `Write NAME=VALUE; names are ${TYPE_LIMIT_NAMES.join(', ')}.`);
    }
    if (text === '') delete after[name];
    else after[name] = figure(name, text);
  }
  return after;
}

function figure(name: TypeLimitName, text: string): number {
  const { minimum, maximum, unit } = TYPE_LIMITS[name];
  const [, digits = '', of = ''] = /^([0-9]{1,15})(B|KiB|MiB|GiB)?$/.exec(text) ?? [];
  const value = digits === '' || (unit === 'number' && of !== '') ? Number.NaN : Number(digits) * (UNITS[of] ?? 1);
  if (value >= minimum && value <= maximum) return value;
  const size = unit === 'bytes' ? ', or a size such as 1MiB' : '';
  throw new UsageError(
    `${name} cannot be "${text}".`,
    `Write a whole number from ${minimum} to ${maximum}${size}; nothing behind the sign takes what the configuration says.`,
  );
}

function isLimit(name: string): name is TypeLimitName {
  return (TYPE_LIMIT_NAMES as readonly string[]).includes(name);
}
