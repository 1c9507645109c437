import { expect, it } from 'vitest';
import { PollingPace } from '../../src/oauth/polling-pace.ts';

function pace(most = 100) {
  let now = 1_000_000;
  const paces = new PollingPace({ interval: 5000, most, now: () => now });
  return {
    /** Asks after so many milliseconds. */
    after(milliseconds: number, code = 'code') {
      now += milliseconds;
      return paces.allows(code);
    },
  };
}

it('lets a device ask at once, and then at the interval', () => {
  const { after } = pace();
  expect([after(0), after(5000), after(5000), after(60_000)]).toEqual([true, true, true, true]);
});

it('has one that asks too early wait five seconds longer, and longer again (RFC 8628 section 3.5)', () => {
  const { after } = pace();
  expect([after(0), after(4999)]).toEqual([true, false]);
  expect([after(9999), after(14_999), after(20_000)]).toEqual([false, false, true]);
  expect(after(19_999)).toBe(false);
  expect(after(25_000)).toBe(true);
});

it('counts each code for itself', () => {
  const { after } = pace();
  expect([after(0), after(1, 'other'), after(1), after(1, 'third')]).toEqual([true, true, false, true]);
});

it('remembers a bounded number of codes, those that were asked about last', () => {
  const { after } = pace(2);
  expect([after(0, 'a'), after(0, 'b'), after(0, 'a'), after(0, 'c')]).toEqual([true, true, false, true]);
  expect([after(0, 'a'), after(0, 'c')]).toEqual([false, false]);
});
