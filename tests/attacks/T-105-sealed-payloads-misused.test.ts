import { KeyRing, SealDesk } from '@sallyport/device';
import { readSealed, toBase64url } from '@sallyport/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { DESK, guardOf, identityOf, NOW, PUMP, platform } from './guard-laboratory.ts';

type Known = Awaited<ReturnType<typeof identityOf>>;
let world: Awaited<ReturnType<typeof platform>>;
let desk: Known;
let pump: Known;
let tap: Known;
beforeAll(async () => {
  world = await platform();
  desk = await identityOf(world.demo, DESK);
  pump = await identityOf(world.demo, PUMP);
  tap = await identityOf(world.demo, 'application:demo/tap');
});

const LEVEL = 'iot-2/type/pump/id/pump-7/evt/level/fmt';
const content = { format: 'json', bytes: new TextEncoder().encode('{"level":"treasure"}') };

function deskOf(own: Known, ...known: readonly Known[]) {
  const ring = new KeyRing({ roots: [world.root.certificate.der], organisation: 'demo', skew: 0, now: () => NOW });
  for (const { statement } of known) ring.keep(statement);
  const make = (memory = {}) => new SealDesk({ identity: own.identity, ring, now: () => NOW, memory });
  return { make, desk: make() };
}

describe.each([
  ['cose', 'cose-sealed'],
  ['jwe', 'jwe'],
] as const)('a sealed payload in %s', (encoding, format) => {
  const topic = `${LEVEL}/${format}`;
  const sealed = async (sealer = deskOf(pump, desk).desk) => {
    const bytes = await sealer.seal(DESK, topic, content, format);
    if (!bytes) throw new Error('not sealed');
    return bytes;
  };

  it('is opened once, and neither again nor after a restart', async () => {
    const { desk: opener, make } = deskOf(desk, pump);
    const bytes = await sealed();
    const opened = await opener.open(encoding, topic, bytes);
    expect(opened).toMatchObject({ outcome: 'opened', sender: PUMP, content });
    if (opened.outcome === 'opened') opened.remember();
    expect(await opener.open(encoding, topic, bytes)).toEqual({ outcome: 'replayed' });
    const later = make(JSON.parse(JSON.stringify(opener.memory)) as object);
    expect(await later.open(encoding, topic, bytes)).toEqual({ outcome: 'replayed' });
  });

  it('stays closed under another topic, for another device and with any byte changed', async () => {
    const { desk: opener } = deskOf(desk, pump);
    const bytes = await sealed();
    for (const moved of [topic.replace('level', 'alarm'), topic.replace('pump-7', 'pump-8')]) {
      expect(await opener.open(encoding, moved, bytes)).toEqual({ outcome: 'cannot_open' });
    }
    for (let at = 0; at < bytes.length; at += 11) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect((await opener.open(encoding, topic, changed)).outcome).not.toBe('opened');
    }
    expect((await opener.open(encoding, topic, bytes)).outcome).toBe('opened');
  });

  it('can be opened by nobody but its recipient, and made by nobody but its sender', async () => {
    const bytes = await sealed();
    expect(await deskOf(tap, pump).desk.open(encoding, topic, bytes)).toEqual({ outcome: 'not_for_me' });
    expect(await deskOf(desk, tap).desk.open(encoding, topic, bytes)).toEqual({ outcome: 'cannot_open' });
    // Tap seals for desk, and names the key of pump as its own.
    const liar = deskOf({ ...tap, identity: { ...tap.identity, principal: PUMP } }, desk).desk;
    const forged = await liar.seal(DESK, topic, content, format);
    const claim = (text: string) => text.replaceAll(tap.keyId, pump.keyId);
    const [head = '', ...rest] = new TextDecoder('latin1').decode(forged).split('.');
    const renamed =
      encoding === 'jwe'
        ? new TextEncoder().encode(
            [toBase64url(new TextEncoder().encode(claim(Buffer.from(head, 'base64url').toString()))), ...rest].join(
              '.',
            ),
          )
        : Buffer.from(
            Buffer.from(forged ?? [])
              .toString('hex')
              .replaceAll(
                Buffer.from(tap.keyId, 'base64url').toString('hex'),
                Buffer.from(pump.keyId, 'base64url').toString('hex'),
              ),
            'hex',
          );
    expect(readSealed(encoding, renamed)?.header.senderKeyId).toBe(pump.keyId);
    expect(await deskOf(desk, pump, tap).desk.open(encoding, topic, renamed)).toEqual({ outcome: 'cannot_open' });
  });

  it('uses a nonce once, whoever seals at the same time, and new keys after its bound', async () => {
    const ring = deskOf(pump, desk);
    const many = await Promise.all(Array.from({ length: 20 }, () => sealed(ring.desk)));
    const heads = many.map((bytes) => readSealed(encoding, bytes)?.header);
    const names = heads.map(
      (head) => `${head?.session} ${toBase64url(head?.encapsulated ?? new Uint8Array())} ${head?.counter}`,
    );
    expect(new Set(names).size).toBe(20);
    const counted = new SealDesk({
      identity: pump.identity,
      ring: ringOf(desk),
      now: () => NOW,
      messagesPerSession: 2,
    });
    const sessions = [];
    for (let i = 0; i < 5; i++) sessions.push(readSealed(encoding, await sealed(counted))?.header.session);
    expect(sessions).toEqual([NOW, NOW, NOW + 1, NOW + 1, NOW + 2]);
  });
});

function ringOf(...known: readonly Known[]) {
  const ring = new KeyRing({ roots: [world.root.certificate.der], organisation: 'demo', skew: 0, now: () => NOW });
  for (const { statement } of known) ring.keep(statement);
  return ring;
}

describe('a sealed command', () => {
  it('is followed only if the one who sealed it is the one who signed it', async () => {
    const { commandBy } = await import('./guard-laboratory.ts');
    const lab = await guardOf(world.root, {
      identity: pump.identity,
      applications: [
        { application: 'desk', commands: ['+'] },
        { application: 'tap', commands: ['+'] },
      ],
    });
    await lab.introduce(desk.identity);
    await lab.introduce(tap.identity);
    const topic = 'iot-2/type/pump/id/pump-7/cmd/restart/fmt/cose-sealed';
    const signed = await commandBy(desk, { topic });
    const by = (sealer: Known) =>
      new SealDesk({ identity: sealer.identity, ring: ringOf(pump), now: () => NOW }).seal(
        PUMP,
        topic,
        { format: 'cose', bytes: signed },
        'cose-sealed',
      );
    // Tap was sent it, and passes it on as its own.
    expect(await lab.outcome((await by(tap)) ?? new Uint8Array(), 'restart', 'cose-sealed')).toBe('wrong_application');
    const good = (await by(desk)) ?? new Uint8Array();
    expect(await lab.outcome(good, 'restart', 'cose-sealed')).toBe('valid');
    expect(await lab.outcome(good, 'restart', 'cose-sealed')).toBe('replayed');
  });
});
