import { createHash, randomBytes } from 'node:crypto';
import { createRootAuthority, keyPairToPem } from '@sallyport/trust';
import { keystoreKind, pkcs12Of, readKeystore } from '@sallyport/trust/secrets';
import { beforeAll, describe, expect, it } from 'vitest';

const PASSWORD = 'changeit-please';
const HOUR = 3_600_000;

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}
function u4(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u4(bytes.length).subarray(2), bytes]);
}
/** A JKS file with these bytes behind magic and version, and a seal that fits. */
function jks(body: Buffer, { magic = 0xfeedfeed, version = 2 } = {}): Buffer {
  const content = Buffer.concat([u4(magic), u4(version), body]);
  const seal = createHash('sha1').update(utf16(PASSWORD)).update('Mighty Aphrodite').update(content).digest();
  return Buffer.concat([content, seal]);
}
const trusted = (der: Uint8Array, kind = 'X.509') =>
  Buffer.concat([u4(2), text('root'), Buffer.alloc(8), text(kind), u4(der.length), der]);

/** Puts a longer last number into the seal: the number is the end of the file, of the seal, and of nothing else. */
function grown(file: Buffer, at: number, number: Buffer): Buffer {
  const seal = Buffer.from(file.subarray(0, at)).lastIndexOf(Buffer.from([0x30, 0x31, 0x30, 0x0d, 0x06, 0x09])) - 2;
  const whole = Buffer.concat([file.subarray(0, at), number]);
  whole[seal + 1] = (whole[seal + 1] ?? 0) + number.length - 5;
  whole.writeUInt16BE(whole.readUInt16BE(2) + number.length - 5, 2);
  return whole;
}

describe('a key store that an operator was sent', () => {
  let der: Uint8Array;
  let p12: Uint8Array;
  beforeAll(async () => {
    const authority = await createRootAuthority({ commonName: 'Plant root', now: Date.now(), validity: HOUR });
    der = authority.certificate.der;
    const keyPem = await keyPairToPem(authority.keys);
    p12 = await pkcs12Of({ keyPem, chainPem: authority.pem, password: PASSWORD, name: 'pump-7' });
  });
  const read = (bytes: Uint8Array, password = PASSWORD) => readKeystore(bytes, { password });

  it('is read where it is in order', async () => {
    expect(await read(jks(Buffer.concat([u4(1), trusted(der)])))).toMatchObject({
      ok: true,
      value: { keys: [], trusted: [{ name: 'root' }] },
    });
    expect(await read(p12)).toMatchObject({ ok: true, value: { keys: [{ name: 'pump-7' }], trusted: [] } });
  });

  it('is refused where it promises what it does not hold, in JKS under a seal that fits', async () => {
    const entry = trusted(der);
    const broken: readonly (readonly [string, Buffer])[] = [
      ['fewer entries than it says', Buffer.concat([u4(2), entry])],
      ['endless entries', Buffer.concat([u4(0xffffffff), entry])],
      [
        'a length beyond the end',
        Buffer.concat([u4(1), u4(2), text('root'), Buffer.alloc(8), text('X.509'), u4(0xffffffff)]),
      ],
      ['a certificate of no kind', Buffer.concat([u4(1), trusted(der, 'PGP')])],
      ['a certificate that is none', Buffer.concat([u4(1), trusted(randomBytes(300))])],
      ['an entry of no kind', Buffer.concat([u4(1), u4(7), text('x'), Buffer.alloc(8)])],
      ['a key that is none', Buffer.concat([u4(1), u4(1), text('x'), Buffer.alloc(8), u4(60), randomBytes(60), u4(0)])],
      ['an endless chain', Buffer.concat([u4(1), u4(1), text('x'), Buffer.alloc(8), u4(0), u4(0x7fffffff)])],
      ['something behind its end', Buffer.concat([u4(1), entry, Buffer.from('more')])],
    ];
    for (const [what, body] of broken) {
      expect(await read(jks(body)), what).toMatchObject({ ok: false, problem: expect.any(String) });
    }
    expect(await read(jks(u4(0), { version: 9 }))).toMatchObject({ ok: false });
    expect(await read(jks(u4(0), { magic: 0xcececece }))).toMatchObject({
      ok: false,
      problem: expect.stringContaining('JCEKS'),
    });
  });

  it('is refused where a bit was changed or its end is missing, and no answer shows a piece of a key', async () => {
    const whole = jks(Buffer.concat([u4(1), trusted(der)]));
    for (let at = 0; at < whole.length; at += 7) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect((await read(changed)).ok, `byte ${at} of JKS`).toBe(false);
      expect((await read(whole.subarray(0, at))).ok, `JKS cut at ${at}`).toBe(false);
    }
    // Where the seal of PKCS#12 is looked at, each try costs as much as a guess is to.
    const places = Array.from({ length: 12 }, (_, index) => Math.floor((index * p12.length) / 12));
    for (const at of places) {
      const changed = Buffer.from(p12);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const answer = await read(changed);
      expect(answer.ok, `byte ${at} of PKCS#12`).toBe(false);
      expect(JSON.stringify(answer)).not.toContain('PRIVATE');
      expect((await read(p12.subarray(0, at))).ok, `PKCS#12 cut at ${at}`).toBe(false);
    }
    expect(await read(p12, 'not the password')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('password'),
    });
    expect(await read(p12, '')).toMatchObject({ ok: false });
  }, 120_000);

  it('cannot demand endless rounds over the password, or be of endless size', async () => {
    const rounds = Buffer.from([0x02, 0x03, 0x09, 0x27, 0xc0]);
    const at = Buffer.from(p12).lastIndexOf(rounds);
    expect(at).toBeGreaterThan(0);
    // The same file with 4,294,967,295 rounds in its seal; every length around them is made to fit.
    const endless = grown(Buffer.from(p12), at, Buffer.from([0x02, 0x05, 0x00, 0xff, 0xff, 0xff, 0xff]));
    expect(await read(endless)).toMatchObject({ ok: false, problem: expect.stringContaining('4294967295 rounds') });
    expect(await read(Buffer.concat([p12, Buffer.alloc(5_000_000)]))).toMatchObject({
      ok: false,
      problem: expect.stringContaining('too large'),
    });
    expect(await read(jks(Buffer.alloc(5_000_000)))).toMatchObject({
      ok: false,
      problem: expect.stringContaining('too large'),
    });
  });

  it('is not mistaken for another kind of file', () => {
    expect(keystoreKind(der)).toBeUndefined();
    expect(keystoreKind(Buffer.from('-----BEGIN CERTIFICATE-----'))).toBeUndefined();
    expect(keystoreKind(new Uint8Array())).toBeUndefined();
    expect(keystoreKind(p12)).toBe('pkcs12');
  });
});
