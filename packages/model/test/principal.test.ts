import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Principal, parsePrincipal, principalName } from '../src/principal.ts';

describe('the written form of a principal', () => {
  it('is read back as the same principal', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_.-]{1,36}$/);
    const principals: fc.Arbitrary<Principal> = fc.oneof(
      fc.record({ kind: fc.constantFrom('device' as const, 'gateway' as const), organisation: id, type: id, id }),
      fc.record({ kind: fc.constant('application' as const), organisation: id, id }),
      fc.record({ kind: fc.constant('operator' as const), id }),
    );
    fc.assert(
      fc.property(principals, (principal) => {
        expect(parsePrincipal(principalName(principal))).toEqual({ ok: true, value: principal });
      }),
    );
  });

  it.each([
    '',
    'pump-7',
    'device:',
    'device:demo/pump',
    'device:demo/pump/7/8',
    'device:demo//7',
    'application:demo',
    'operator:',
    'constructor:x',
    ':x',
  ])('refuses %j', (text) => {
    expect(parsePrincipal(text).ok).toBe(false);
  });
});
