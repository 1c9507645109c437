import { TYPE_LIMIT_NAMES, TYPE_LIMITS, type TypeLimits } from '@sallyport/model';
import { invalid } from './checks.ts';

/** The bounds of a device type as JSON for a row: `undefined`, `null` and no bound at all are none. */
export function checkedLimits(value: TypeLimits | null | undefined): string | null {
  if (value === undefined || value === null) return null;
  const kept: Record<string, number> = {};
  for (const name of TYPE_LIMIT_NAMES) {
    const figure = value[name];
    if (figure === undefined) continue;
    const { minimum, maximum } = TYPE_LIMITS[name];
    if (!Number.isSafeInteger(figure) || figure < minimum || figure > maximum) {
      throw invalid(`limits.${name}`, `it is a whole number from ${minimum} to ${maximum}`);
    }
    kept[name] = figure;
  }
  return Object.keys(kept).length === 0 ? null : JSON.stringify(kept);
}
