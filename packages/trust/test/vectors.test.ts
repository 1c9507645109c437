import { readFileSync } from 'node:fs';
import { compactDecrypt, compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { readSealed } from '../src/sealed-message.ts';
import { readCommand } from '../src/signed-command.ts';
import { readRefusal } from '../src/signed-refusal.ts';

/* The vectors of the reference pages, judged by what other people have written: jose, and node:crypto. */
const page = (name: string) => readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');
const signed = page('signed-commands.md');
const sealed = page('sealed-payloads.md');

/** The blocks of a page in their order, each as one line. */
const blocks = (text: string) =>
  [...text.slice(text.indexOf('<!-- vectors')).matchAll(/```text\n([\s\S]*?)\n```/g)].map(([, body = '']) => body);
const oneLine = (text = '') => text.replaceAll('\n', '');
const hex = (text = '') => Uint8Array.from(Buffer.from(oneLine(text), 'hex'));
const ascii = (text = '') => new TextEncoder().encode(oneLine(text));
const publicKey = (holder: string) => {
  const [, bytes = ''] =
    new RegExp(`\\| ${holder}, Ed25519 \\| \`[0-9a-f]{64}\` \\| \`([0-9a-f]{64})\``).exec(signed) ?? [];
  return { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(bytes, 'hex').toString('base64url') };
};

describe('the vectors of signed commands', () => {
  const [cose, jws, refusedCose, refusedJws] = blocks(signed);

  it('say the same in both encodings, and verify', async () => {
    const key = {
      algorithm: 'EdDSA' as const,
      bytes: Uint8Array.from(Buffer.from(publicKey('application').x, 'base64url')),
    };
    const one = readCommand('cose', hex(cose));
    const other = readCommand('jws', ascii(jws));
    expect(one?.command).toMatchObject({ application: 'application:demo/desk', sequence: 1_772_366_400_000 });
    expect(other?.command).toEqual({ ...one?.command, topic: one?.command.topic.replace(/cose$/, 'jws') });
    expect(await one?.message.signedBy(key)).toBe(true);
    expect(await other?.message.signedBy(key)).toBe(true);
  });

  it('verify with a library that knows nothing of us', async () => {
    const { payload, protectedHeader } = await compactVerify(
      oneLine(jws),
      await importJWK(publicKey('application'), 'EdDSA'),
    );
    expect(protectedHeader.typ).toBe('sallyport-command+jwt');
    expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({
      seq: 1_772_366_400_000,
      content: { delay: 5 },
    });
    const refused = await compactVerify(oneLine(refusedJws), await importJWK(publicKey('device'), 'EdDSA'));
    expect(JSON.parse(new TextDecoder().decode(refused.payload))).toMatchObject({ reason: 'replayed' });
    expect(readRefusal('cose', hex(refusedCose))?.refusal).toMatchObject({
      reason: 'replayed',
      device: 'device:demo/pump/pump-7',
    });
  });
});

describe('the vectors of sealed payloads', () => {
  const [, , derived = '', cose, jwe] = blocks(sealed);
  const [, key = '', iv = ''] = derived.split('\n');

  it('open with a library that knows nothing of us, with the key on the page', async () => {
    const { plaintext, protectedHeader } = await compactDecrypt(oneLine(jwe), hex(key));
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ fmt: 'json', content: { level: 42 } });
    expect(protectedHeader).toMatchObject({ cnt: 7, snd: 'device:demo/pump/pump-7' });
  });

  it('open with key and IV on the page, in both encodings, on their own topics only', async () => {
    const keys = {
      key: await crypto.subtle.importKey('raw', hex(key), 'AES-GCM', false, ['decrypt']),
      iv: hex(iv),
    };
    for (const [encoding, format, bytes] of [
      ['cose', 'cose-sealed', hex(cose)],
      ['jwe', 'jwe', ascii(jwe)],
    ] as const) {
      const read = readSealed(encoding, bytes);
      const binding = { topic: `iot-2/type/pump/id/pump-7/evt/level/fmt/${format}`, sender: 'device:demo/pump/pump-7' };
      expect(await read?.open(keys, binding)).toEqual({ format: 'json', bytes: ascii('{"level":42}') });
      expect(
        await read?.open(keys, { ...binding, topic: 'iot-2/type/pump/id/pump-8/evt/level/fmt/jwe' }),
      ).toBeUndefined();
    }
  });
});
