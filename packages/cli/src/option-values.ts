import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `500ms`, `5s`, `15m`, `12h` or `30d` as milliseconds, for an option of a command. */
export function durationOption(text: string): number {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new InvalidArgumentError('Write a number with a unit: 500ms, 5s, 15m, 12h or 30d.');
  }
  return Number(amount) * (UNITS[unit] ?? 1);
}

/** Reads a TCP port, for an option of a command; 0 lets the system choose. */
export function portOption(text: string): number {
  return wholeNumber(text, 0, 65_535);
}

/** Reads a count, for an option of a command. */
export function countOption(text: string): number {
  return wholeNumber(text, 1, 1_000_000);
}

function wholeNumber(text: string, least: number, most: number): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
  return value;
}
