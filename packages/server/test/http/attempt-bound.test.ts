import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AttemptBound } from '../../src/http/attempt-bound.ts';

function bound(addresses = 100) {
  const clock = { now: 0 };
  return { clock, attempts: new AttemptBound({ burst: 3, refill: 1000, addresses, now: () => clock.now }) };
}

test('never lets through more than the burst and what time has refilled', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { maxLength: 60 }), (pauses) => {
      const { clock, attempts } = bound();
      let through = 0;
      for (const pause of pauses) {
        clock.now += pause;
        if (attempts.take('192.0.2.1') === 0) through++;
      }
      expect(through).toBeLessThanOrEqual(3 + clock.now / 1000);
    }),
  );
});

test('says exactly how long to wait', () => {
  const { clock, attempts } = bound();
  for (let n = 0; n < 3; n++) expect(attempts.take('192.0.2.1')).toBe(0);
  const wait = attempts.take('192.0.2.1');
  clock.now += wait - 1;
  expect(attempts.take('192.0.2.1')).toBeGreaterThan(0);
  clock.now += 1;
  expect(attempts.take('192.0.2.1')).toBe(0);
});

test('counts a whole IPv6 network as one, and IPv4 addresses apart', () => {
  const { attempts } = bound();
  for (let n = 1; n <= 3; n++) attempts.take(`2001:db8:0:7::${n}`);
  expect(attempts.take('2001:db8:0:7:1:2:3:4')).toBeGreaterThan(0);
  expect(attempts.take('2001:db8:0:8::1')).toBe(0);
  for (let n = 0; n < 3; n++) attempts.take('192.0.2.1');
  expect(attempts.take('192.0.2.2')).toBe(0);
});

test('forgets the address seen longest ago when strangers become too many', () => {
  const { attempts } = bound(2);
  for (let n = 0; n < 3; n++) attempts.take('192.0.2.1');
  attempts.take('192.0.2.2');
  expect(attempts.take('192.0.2.1')).toBeGreaterThan(0);
  attempts.take('192.0.2.3');
  expect(attempts.take('192.0.2.1')).toBe(0);
});
