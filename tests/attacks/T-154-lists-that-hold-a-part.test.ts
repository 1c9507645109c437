import { createRootAuthority, readRevocationList } from '@sallyport/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { certificateParts } from '../../packages/trust/src/certificate-parts.ts';
import {
  element,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
  time,
} from '../../packages/trust/src/der-writer.ts';
import { ECDSA_SHA256, signedStructure } from '../../packages/trust/src/sign-der.ts';

const HOUR = 3_600_000;
const TRUE = Uint8Array.of(0x01, 0x01, 0xff);

describe('a revocation list of an imported authority that holds only a part of the truth', () => {
  let authority: Awaited<ReturnType<typeof createRootAuthority>>;
  beforeAll(async () => {
    authority = await createRootAuthority({ commonName: 'Plant root', now: Date.now(), validity: 24 * HOUR });
  });

  const extension = (oid: string, critical: boolean, value: Uint8Array) =>
    sequence(objectIdentifier(oid), ...(critical ? [TRUE] : []), octetString(value));
  /** A list with the right signature and one entry, and what is given. */
  async function read(extensions: readonly Uint8Array[], entryExtensions: readonly Uint8Array[] = []) {
    const { subjectName } = certificateParts(authority.certificate.der) ?? {};
    const now = Date.now();
    const entry = sequence(
      integer(Uint8Array.of(0x4d)),
      time(now),
      ...(entryExtensions.length > 0 ? [sequence(...entryExtensions)] : []),
    );
    const content = sequence(
      ...[smallInteger(1), ECDSA_SHA256, subjectName ?? new Uint8Array(), time(now - HOUR), time(now + HOUR)],
      sequence(entry),
      explicit(0, sequence(extension('2.5.29.20', false, smallInteger(2)), ...extensions)),
    );
    return readRevocationList({
      list: await signedStructure(authority.keys, content),
      issuer: authority.certificate.der,
    });
  }
  /** Issuing distribution point with one field (RFC 5280 section 5.2.5). */
  const scope = (tag: number, content: Uint8Array = Uint8Array.of(0xff), critical = true) =>
    extension('2.5.29.28', critical, sequence(element(tag, content)));

  it('is refused with the part that is missing, marked critical or not', async () => {
    const delta = (critical: boolean) => extension('2.5.29.27', critical, smallInteger(1));
    const unknown = extension('1.2.3.4', true, smallInteger(1));
    const parts: readonly (readonly [string, readonly Uint8Array[], RegExp])[] = [
      ['delta', [delta(true)], /is a delta: .*whole \(base\) list/],
      ['delta that hides it', [delta(false)], /is a delta/],
      ['delta behind something unknown', [unknown, delta(true)], /is a delta/],
      ['indirect', [scope(0x84)], /is an indirect one/],
      ['indirect that hides it', [scope(0x84, Uint8Array.of(0xff), false)], /is an indirect one/],
      ['authorities only', [scope(0x82)], /of authorities only/],
      ['some reasons only', [scope(0x83, Uint8Array.of(1, 0x40))], /for some reasons/],
      ['attribute certificates only', [scope(0x85)], /attribute certificates/],
      ['a field of nobody', [scope(0x86)], /only a part/],
      ['an unknown critical extension', [unknown], /critical extension that is not understood/],
    ];
    for (const [what, extensions, problem] of parts) {
      expect(await read(extensions), what).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
    }
  });

  it('is taken where it holds all that concerns clients', async () => {
    expect(await read([])).toMatchObject({ ok: true });
    expect(await read([scope(0x81)])).toMatchObject({ ok: true });
    expect(await read([extension('1.2.3.4', false, smallInteger(1))])).toMatchObject({ ok: true });
  });

  it('names certificates of other authorities in its entries, and is refused for it', async () => {
    const certificateIssuer = extension('2.5.29.29', true, sequence(element(0xa4, sequence())));
    expect(await read([], [certificateIssuer])).toMatchObject({
      ok: false,
      problem: expect.stringContaining('critical'),
    });
    const reason = extension('2.5.29.21', false, element(0x0a, Uint8Array.of(1)));
    expect(await read([], [reason])).toMatchObject({ ok: true });
  });
});
