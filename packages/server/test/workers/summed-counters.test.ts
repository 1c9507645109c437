import { expect, it } from 'vitest';
import { newCounters } from '../../src/broker/counters.ts';
import { SummedCounters } from '../../src/workers/summed-counters.ts';

it('sums up what all count, and what only grows never shrinks when one dies', () => {
  const office = { ...newCounters(), messagesReceived: 1, sessionsNow: 1, retainedNow: 5 };
  const summed = new SummedCounters(office);
  summed.update(1, { ...newCounters(), messagesReceived: 10, sessionsNow: 2, retainedNow: 5 });
  summed.update(2, { ...newCounters(), messagesReceived: 100, sessionsNow: 4, retainedNow: 5 });
  summed.refresh();
  expect(summed.sum).toMatchObject({ messagesReceived: 111, sessionsNow: 7, retainedNow: 5 });
  summed.forget(1);
  summed.forget(1);
  summed.refresh();
  expect(summed.sum).toMatchObject({ messagesReceived: 111, sessionsNow: 5, retainedNow: 5 });
  summed.update(1, { ...newCounters(), messagesReceived: 1 });
  summed.refresh();
  expect(summed.sum).toMatchObject({ messagesReceived: 112 });
});
