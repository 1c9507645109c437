import { readCommand, readSealed, readSigned, toBase64url } from '@sallyport/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandBy, DESK, guardOf, identityOf, platform } from './guard-laboratory.ts';

let world: Awaited<ReturnType<typeof platform>>;
let desk: Awaited<ReturnType<typeof identityOf>>;
beforeAll(async () => {
  world = await platform();
  desk = await identityOf(world.demo, DESK);
});

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('documents that no honest program writes', () => {
  it('are refused without use of stack or memory: nested, endless, huge, cut off', async () => {
    const lab = await guardOf(world.root);
    await lab.introduce(desk.identity);
    const nested = Uint8Array.from([0xd2, ...new Array<number>(200_000).fill(0x81)]);
    const maps = Uint8Array.from([0xd2, ...Array.from({ length: 100_000 }, () => [0xa1, 0x01]).flat()]);
    const promises = Uint8Array.from([0xd2, 0x9b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    const huge = new Uint8Array(300_000).fill(0x40);
    for (const bytes of [nested, maps, promises, huge, hex('d284'), hex('d29fff'), hex('d2 84 5fff a0 40 40')]) {
      expect(await lab.outcome(bytes)).toBe('malformed');
      expect(await lab.outcome(bytes, 'restart', 'jws')).toBe('malformed');
      expect(await lab.outcome(bytes, 'restart', 'cose-sealed')).toBe('cannot_open');
      expect(await lab.judge('sallyport-identity', 'cose', bytes)).toMatchObject({ detail: 'malformed' });
    }
    const good = await commandBy(desk);
    for (let end = 0; end < good.length; end += 3) expect(await lab.outcome(good.subarray(0, end))).toBe('malformed');
    expect(await lab.outcome(good)).toBe('valid');
  });

  it('have one reading: no key twice, no unknown header, nothing in the open, no other spelling', async () => {
    // {1: -8, 1: -7, 4: h'00'} as protected header.
    expect(readSigned('cose', 'sallyport-command', hex('d284 48a3012701260441 00 a0 40 40'))).toBeUndefined();
    const good = await commandBy(desk);
    // The unprotected header is the byte 0xa0 behind the protected one.
    const at = Buffer.from(good).indexOf(Buffer.from([0xa0]), 4);
    const open = Uint8Array.from([...good.subarray(0, at), 0xa1, 0x01, 0x27, ...good.subarray(at + 1)]);
    expect(readSigned('cose', 'sallyport-command', good)).toBeDefined();
    expect(readSigned('cose', 'sallyport-command', open)).toBeUndefined();
    expect(readSigned('cose', 'sallyport-statement', good)).toBeUndefined();
    expect(readSigned('cose', 'sallyport-refusal', good)).toBeUndefined();
    const jws = new TextDecoder().decode(await commandBy(desk, {}, 'jws'));
    const ascii = (text: string) => new TextEncoder().encode(text);
    expect(readCommand('jws', ascii(jws))).toBeDefined();
    for (const text of [
      `${jws}=`,
      `${jws}.`,
      ` ${jws}`,
      `${jws}\n`,
      jws.replace('.', '..'),
      jws.replaceAll('-', '+'),
    ]) {
      if (text !== jws) expect(readCommand('jws', ascii(text))).toBeUndefined();
    }
  });

  it('carry no claim that the reader does not know, and numbers only where numbers belong', async () => {
    const [head = '', , tail = ''] = new TextDecoder().decode(await commandBy(desk, {}, 'jws')).split('.');
    const body = { iss: DESK, aud: 'd', topic: 't', seq: 1, iat: 1, exp: 2, fmt: 'json', content: 1 };
    const read = (change: object) =>
      readCommand(
        'jws',
        new TextEncoder().encode(
          `${head}.${toBase64url(new TextEncoder().encode(JSON.stringify({ ...body, ...change })))}.${tail}`,
        ),
      );
    expect(read({})).toBeDefined();
    for (const change of [
      { more: 1 },
      { seq: -1 },
      { seq: 1.5 },
      { seq: 2 ** 53 },
      { seq: '1' },
      { iat: null },
      { aud: '' },
      { bytes: 'AA' },
      { fmt: 'bin' },
    ]) {
      expect(read(change)).toBeUndefined();
    }
  });

  it('are no sealed message with other algorithms, lengths or leading zeros', () => {
    const header = {
      alg: 'dir',
      enc: 'A128GCM',
      typ: 'sallyport-sealed+jwe',
      kid: 'k',
      skid: 's',
      ses: 1,
      ek: toBase64url(new Uint8Array(32)),
      cnt: 0,
      topic: 't',
      snd: 'x',
    };
    const tag = toBase64url(new Uint8Array(16));
    const read = (change: object, rest = `..${toBase64url(new Uint8Array(12))}.AA.${tag}`) =>
      readSealed(
        'jwe',
        new TextEncoder().encode(
          `${toBase64url(new TextEncoder().encode(JSON.stringify({ ...header, ...change })))}${rest}`,
        ),
      );
    expect(read({})).toBeDefined();
    for (const change of [
      { enc: 'A256GCM' },
      { alg: 'RSA1_5' },
      { zip: 'DEF' },
      { ek: 'AA' },
      { cnt: -1 },
      { ses: 0.5 },
    ]) {
      expect(read(change)).toBeUndefined();
    }
    expect(read({}, `.AAAA.${toBase64url(new Uint8Array(12))}.AA.${tag}`)).toBeUndefined();
  });
});
