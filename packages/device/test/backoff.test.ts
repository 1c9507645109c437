import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jitteredBackoff } from '../src/backoff.ts';

describe('jitteredBackoff', () => {
  it('doubles the bound of the pause until the longest', () => {
    const backoff = jitteredBackoff({ first: 1_000, longest: 5_000, random: () => 0.999999 });
    const pauses = Array.from({ length: 6 }, () => backoff.next());
    expect(pauses).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
  });

  it('begins anew after a success', () => {
    const backoff = jitteredBackoff({ first: 1_000, random: () => 0.999999 });
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });

  it('spreads clients over the whole pause', () => {
    const pause = (random: number) => jitteredBackoff({ first: 1_000, random: () => random }).next();
    expect(pause(0)).toBe(100);
    expect(pause(0.5)).toBe(550);
  });

  it('never retries at once and never waits longer than the longest pause', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (randoms) => {
          let index = 0;
          const backoff = jitteredBackoff({ first: 500, longest: 8_000, random: () => randoms[index++] ?? 0 });
          return randoms.every(() => {
            const pause = backoff.next();
            return pause >= 100 && pause <= 8_000;
          });
        },
      ),
    );
  });
});
