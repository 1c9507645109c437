import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientIdOf, parseClientId } from '../src/client-id.ts';
import type { Principal } from '../src/principal.ts';
import { watsonStyle } from '../src/watson.ts';

describe('parseClientId', () => {
  it('reads the four forms of Watson', () => {
    expect(parseClientId('d:demo:pump:pump-7')).toEqual({
      ok: true,
      value: { kind: 'device', text: 'd:demo:pump:pump-7', organisation: 'demo', type: 'pump', id: 'pump-7' },
    });
    expect(parseClientId('g:demo:hub:hub-1')).toMatchObject({ value: { kind: 'gateway', type: 'hub', id: 'hub-1' } });
    expect(parseClientId('a:demo:desk')).toEqual({
      ok: true,
      value: { kind: 'application', text: 'a:demo:desk', organisation: 'demo', id: 'desk', scalable: false },
    });
    expect(parseClientId('A:demo:desk')).toMatchObject({ value: { kind: 'application', scalable: true } });
    expect(parseClientId('A:demo:desk:2')).toMatchObject({ value: { id: 'desk', scalable: true, instance: '2' } });
  });

  it.each([
    ['d:demo:pump', 2],
    ['d:demo:pump:a:b', 2],
    ['d:', 2],
    ['d:demo:pump:', 12],
    ['d:demo:pu/mp:7', 9],
    ['d:demo:+:7', 7],
    ['d:de-mo:pump:7', 4],
    [`d:demo:pump:${'x'.repeat(37)}`, 48],
    ['a:demo:desk:1', 2],
    ['a:demo', 2],
    ['A:demo:desk:1:2', 2],
    ['A:demo:desk:', 12],
    ['g:demo:hub:\u0000', 11],
  ])('refuses %j and says where', (text, position) => {
    expect(parseClientId(text)).toMatchObject({ ok: false, position });
  });

  it('takes every other text as plain, also the empty one and other cases', () => {
    for (const text of [
      '',
      'x',
      'D:demo:pump:7',
      'G:demo:hub:1',
      'device-7',
      'dd:demo',
      ' d:demo:pump:7',
      'd%3ademo',
    ]) {
      expect(parseClientId(text)).toEqual({ ok: true, value: { kind: 'plain', text } });
    }
  });

  it('reads back the client id of every principal that has one', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,36}$/);
    const organisation = fc.stringMatching(/^[A-Za-z0-9_]{1,36}$/);
    const principals: fc.Arbitrary<Principal> = fc.oneof(
      fc.record({ kind: fc.constantFrom('device' as const, 'gateway' as const), organisation, type: id, id }),
      fc.record({ kind: fc.constant('application' as const), organisation, id }),
    );
    fc.assert(
      fc.property(principals, (principal) => {
        expect(parseClientId(clientIdOf(principal))).toMatchObject({ ok: true, value: principal });
      }),
    );
  });
});

describe('watsonStyle', () => {
  it('is everything but a plain client id', () => {
    const styles = ['d:demo:pump:7', 'A:demo:desk', 'sensor'].map((text) => {
      const answer = parseClientId(text);
      return answer.ok && watsonStyle(answer.value);
    });
    expect(styles).toEqual([true, true, false]);
  });
});
