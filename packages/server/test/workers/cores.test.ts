import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { allowedCores, findTaskset, workerCount } from '../../src/workers/cores.ts';

describe('the cores of a machine', () => {
  it.each([
    ['Cpus_allowed_list:\t0-3\n', [0, 1, 2, 3]],
    ['Name:\tnode\nCpus_allowed_list:\t1,4-5\nMems_allowed:\t1\n', [1, 4, 5]],
    ['nothing of the kind', []],
  ])('are read as the system writes them: %j', (text, cores) => {
    expect(allowedCores(() => text)).toEqual(cores);
  });

  it('are unknown where the system says nothing', () => {
    const nothing = () => {
      throw new Error('no such file');
    };
    expect(allowedCores(nothing)).toEqual([]);
    expect(findTaskset('/nowhere:')).toBeUndefined();
  });

  it('make as many workers as there are, up to a bound, where it is left to them', () => {
    expect(workerCount('auto', 63)).toBe(Math.min(63, availableParallelism()));
    expect(workerCount('auto', 1)).toBe(1);
    expect(workerCount(7, 63)).toBe(7);
  });
});
