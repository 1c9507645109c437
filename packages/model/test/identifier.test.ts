import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDeviceId, parseOrganisationId, parseTypeId } from '../src/identifier.ts';

describe('identifiers', () => {
  it('have 1 to 36 letters, digits, "_", "-" and "."', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const allowed = /^[A-Za-z0-9_.-]{1,36}$/.test(text) && text !== '.' && text !== '..';
        expect(parseDeviceId(text).ok).toBe(allowed);
      }),
    );
    expect(parseTypeId('a'.repeat(36)).ok).toBe(true);
    expect(parseTypeId('a'.repeat(37))).toMatchObject({ ok: false, position: 36 });
    expect(parseDeviceId('a\n')).toMatchObject({ ok: false, position: 1 });
  });

  it('of organisations contain no "-", at which clients split API keys', () => {
    expect(parseOrganisationId('demo').ok).toBe(true);
    expect(parseOrganisationId('de-mo')).toMatchObject({ ok: false, position: 2 });
  });

  it('are never a path of dots', () => {
    expect(parseDeviceId('..').ok).toBe(false);
    expect(parseDeviceId('...').ok).toBe(true);
  });
});
