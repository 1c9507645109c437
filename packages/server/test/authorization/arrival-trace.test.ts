import type { TraceStep } from '@sallyport/model';
import { expect, it } from 'vitest';
import { ArrivalTrace } from '../../src/authorization/arrival-trace.ts';

it('tells the same steps after it has come to rest, also those that were added after it was made', () => {
  const steps: TraceStep[] = [{ stage: 'transport', outcome: 'passed', text: 'tcp from 192.0.2.1.' }];
  const trace = new ArrivalTrace(steps);
  const compared = { what: 'client id', found: 'a', expected: 'b' };
  steps.push({ stage: 'authorization', outcome: 'failed', text: 'Not this one.', compared, statements: ['s.1'] });
  const told = structuredClone(trace.steps);
  trace.rest();
  trace.rest();
  expect(trace.steps).toEqual(told);
});
