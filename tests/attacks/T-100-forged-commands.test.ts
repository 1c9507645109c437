import { fromBase64url, toBase64url } from '@sallyport/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandBy, DESK, guardOf, identityOf, platform } from './guard-laboratory.ts';

let world: Awaited<ReturnType<typeof platform>>;
let desk: Awaited<ReturnType<typeof identityOf>>;
let tap: Awaited<ReturnType<typeof identityOf>>;
beforeAll(async () => {
  world = await platform();
  desk = await identityOf(world.demo, DESK);
  tap = await identityOf(world.demo, 'application:demo/tap');
});

async function guard() {
  const lab = await guardOf(world.root, {
    applications: [
      { application: 'desk', commands: ['+'] },
      { application: 'tap', commands: ['blink'] },
    ],
  });
  await lab.introduce(desk.identity);
  await lab.introduce(tap.identity);
  return lab;
}

describe('a principal that may publish commands and is not the application', () => {
  it('cannot have a command followed that nobody signed', async () => {
    const { outcome } = await guard();
    expect(await outcome(new TextEncoder().encode('{"delay":5}'), 'restart', 'json')).toBe('unsigned');
    expect(await outcome(new TextEncoder().encode('{"delay":5}'))).toBe('malformed');
    expect(await outcome(new Uint8Array(0))).toBe('malformed');
  });

  it('cannot change a single byte of one that was signed', async () => {
    const { outcome } = await guard();
    const good = await commandBy(desk);
    for (let at = 0; at < good.length; at += 7) {
      const changed = Uint8Array.from(good);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await outcome(changed)).not.toBe('valid');
    }
    expect(await outcome(Uint8Array.from([...good, 0]))).toBe('malformed');
    expect(await outcome(good)).toBe('valid');
  });

  it('cannot sign in the name of another application, nor send what it was not given', async () => {
    const { outcome } = await guard();
    expect(await outcome(await commandBy(tap))).toBe('wrong_application');
    expect(await outcome(await commandBy({ signer: tap.signer, keyId: desk.keyId }))).toBe('bad_signature');
    expect(await outcome(await commandBy(tap, { application: 'application:demo/tap' }))).toBe('not_permitted');
  });

  it('cannot use keys that the platform never stated', async () => {
    const { outcome, introduce } = await guard();
    const stranger = await identityOf((await platform()).demo, DESK);
    expect(await introduce(stranger.identity)).toMatchObject({
      outcome: 'not_introduced',
      detail: 'bad_signature',
    });
    expect(await outcome(await commandBy(stranger))).toBe('unknown_key');
  });

  it('cannot talk a JWS down to no algorithm, or to a secret that is public', async () => {
    const { outcome } = await guard();
    const [head = '', body = '', tail = ''] = new TextDecoder().decode(await commandBy(desk, {}, 'jws')).split('.');
    const header = JSON.parse(new TextDecoder().decode(fromBase64url(head))) as object;
    const asText = (value: object) => toBase64url(new TextEncoder().encode(JSON.stringify(value)));
    const forged = (change: object, signature: string) =>
      new TextEncoder().encode(`${asText({ ...header, ...change })}.${body}.${signature}`);
    expect(await outcome(forged({ alg: 'none' }, ''), 'restart', 'jws')).toBe('malformed');
    expect(await outcome(forged({ alg: 'HS256' }, tail), 'restart', 'jws')).toBe('malformed');
    expect(await outcome(forged({ alg: 'ES256' }, tail), 'restart', 'jws')).toBe('bad_signature');
    expect(await outcome(forged({ crit: ['b64'], b64: false }, tail), 'restart', 'jws')).toBe('malformed');
    expect(await outcome(forged({}, tail), 'restart', 'jws')).toBe('valid');
  });
});
