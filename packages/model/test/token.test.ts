import { describe, expect, it } from 'vitest';
import { parseChosenToken } from '../src/token.ts';

const names = ['demo', 'pump', 'pump-7', 'a'];

describe('parseChosenToken', () => {
  it.each([
    'K7.vq!R2m',
    'aB3_.!&@?*+()-9',
    'correct-horse-battery',
    'My-Secret-Mill-93',
    'x9Kd02pLqv71ZmTnWcRe84sBYhGfUoAi5j',
  ])('accepts %s', (text) => {
    expect(parseChosenToken(text, names)).toEqual({ ok: true, value: text });
  });

  it.each([
    ['too short', 'K7.vq!R'],
    ['too long', 'K7.vq!R2mK8.vw!R3mL7.xq!T2mP7.yq!U2mZ'],
    ['a character outside the alphabet', 'K7.vq!R2m$'],
    ['a space', 'K7.vq R2m'],
    ['a run of one character', 'K7vqaaaaR2m'],
    ['a repeated sequence', 'xyzxyz-K7v'],
    ['a repeated pair', 'K7vababab9'],
    ['few different characters', 'aabbaabba'],
    ['the name of the device', 'Kv9.PUMP-7.x'],
    ['a row of digits', 'Kv9.12345.x'],
    ['a row backwards', 'Kv9.54321.x'],
    ['a row of the keyboard', 'Kv9.qwert.x'],
    ['a trivial word with decoration', 'Password!9'],
    ['two trivial words', 'secret-token'],
    ['the literal user name', 'use-token-auth'],
  ])('refuses %s', (_why, text) => {
    const answer = parseChosenToken(text, names);
    expect(answer.ok).toBe(false);
    if (!answer.ok) expect(answer.problem).not.toContain(text);
  });
});
