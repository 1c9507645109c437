import { Failure } from '@sallyport/model';
import { expect, test } from 'vitest';
import { demandMatch, Turns } from '../../src/http/policy-etag.ts';

test('tasks of one key run one after the other, those of others do not wait', async () => {
  const turns = new Turns();
  const log: string[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = turns.take('demo', async () => {
    log.push('first begins');
    await held;
    log.push('first ends');
  });
  const second = turns.take('demo', async () => log.push('second'));
  await turns.take('other', async () => log.push('other'));
  release();
  await Promise.all([first, second]);
  expect(log).toEqual(['first begins', 'other', 'first ends', 'second']);
});

test('a task that fails fails alone', async () => {
  const turns = new Turns();
  const failing = turns.take('demo', () => Promise.reject(new Error('no')));
  const next = turns.take('demo', async () => 'done');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('done');
});

test.each([undefined, '*', '"3"', '"1", "3"', ' "3" '])('If-Match %j allows a change of version 3', (header) => {
  expect(() => demandMatch(header, 3)).not.toThrow();
});

test.each(['"2"', '3', 'W/"3"', '', '"13"'])('If-Match %j does not', (header) => {
  expect(() => demandMatch(header, 3)).toThrow(Failure);
});
