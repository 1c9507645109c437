import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { countOption, durationOption, portOption } from '../src/option-values.ts';

describe('values of options', () => {
  it('reads durations with their unit', () => {
    expect(['500ms', '5s', '15m', '12h', '30d'].map(durationOption)).toEqual([
      500, 5_000, 900_000, 43_200_000, 2_592_000_000,
    ]);
  });

  it.each(['5', 's', '-5s', '5 s', '1e3s', ''])('refuses %j as a duration', (text) => {
    expect(() => durationOption(text)).toThrow(InvalidArgumentError);
  });

  it('keeps ports and counts within their bounds', () => {
    expect(portOption('0')).toBe(0);
    expect(portOption('65535')).toBe(65_535);
    expect(() => portOption('65536')).toThrow(InvalidArgumentError);
    expect(() => portOption('88.83')).toThrow(InvalidArgumentError);
    expect(() => countOption('0')).toThrow(InvalidArgumentError);
  });
});
