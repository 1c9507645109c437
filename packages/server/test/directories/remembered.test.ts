import { describe, expect, it } from 'vitest';
import { circuitBreaker } from '../../src/directories/circuit-breaker.ts';
import { Remembered } from '../../src/directories/remembered.ts';

function played(outage = 0) {
  const clock = { now: 0 };
  const asked: string[] = [];
  let answer = (key: string): Promise<string> => Promise.resolve(`${key} 1`);
  const remembered = new Remembered({
    ask(key) {
      asked.push(key);
      return answer(key);
    },
    lifetime: 100,
    outage,
    most: 2,
    now: () => clock.now,
  });
  return { clock, asked, remembered, answers: (next: typeof answer) => (answer = next) };
}

describe('answers of others', () => {
  it('are asked for once by many, and count for their lifetime without a promise', async () => {
    const { clock, asked, remembered } = played();
    await Promise.all([remembered.get('a'), remembered.get('a'), remembered.get('a')]);
    clock.now = 99;
    expect(remembered.get('a')).toBe('a 1');
    expect(asked).toEqual(['a']);
    clock.now = 100;
    await remembered.get('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('are not kept if there was none, and fail for all who wait', async () => {
    const { remembered, answers, asked } = played();
    answers(() => Promise.reject(new Error('away')));
    const both = await Promise.allSettled([remembered.get('a'), remembered.get('a')]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    answers((key) => Promise.resolve(key));
    expect(await remembered.get('a')).toBe('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('count longer while nobody answers, and no longer than stated', async () => {
    const { clock, remembered, answers } = played(50);
    await remembered.get('a');
    answers(() => Promise.reject(new Error('away')));
    clock.now = 149;
    expect(await remembered.get('a')).toBe('a 1');
    clock.now = 150;
    await expect(remembered.get('a')).rejects.toThrow('away');
  });

  it('are bounded in number', async () => {
    const { remembered, asked } = played();
    for (const key of ['a', 'b', 'c', 'a']) await remembered.get(key);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });
});

describe('a circuit breaker', () => {
  it('asks no more after failures in a row, tries once after the pause, and goes on when that succeeds', async () => {
    const clock = { now: 0 };
    const breaker = circuitBreaker({ what: 'It', failures: 2, pause: 100, now: () => clock.now });
    let calls = 0;
    let well = false;
    const call = () => {
      calls += 1;
      return well ? Promise.resolve('well') : Promise.reject(new Error('ill'));
    };
    for (let attempt = 0; attempt < 5; attempt++) await expect(breaker(call)).rejects.toThrow(/ill|not asked/);
    expect(calls).toBe(2);
    clock.now = 100;
    const tried = await Promise.allSettled([breaker(call), breaker(call), breaker(call)]);
    expect(tried.every(({ status }) => status === 'rejected')).toBe(true);
    expect(calls).toBe(3);
    clock.now = 200;
    well = true;
    expect(await breaker(call)).toBe('well');
    expect(await breaker(call)).toBe('well');
  });
});
