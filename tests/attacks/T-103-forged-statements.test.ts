import { certificatesFromPem, type Signer, signStatement } from '@sallyport/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  commandBy,
  DESK,
  deviceAsAuthority,
  guardOf,
  identityOf,
  NOW,
  platform,
  signerOfPair,
} from './guard-laboratory.ts';

let world: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  world = await platform();
});

describe('somebody who would be taken for an application', () => {
  it('cannot state its own keys with the certificate of a device', async () => {
    const { guard } = await guardOf(world.root);
    const { statement } = await identityOf(world.demo, DESK);
    const device = await deviceAsAuthority(world.demo);
    const by = await signerOfPair(device.keys);
    for (const encoding of ['cose', 'jws'] as const) {
      const forged = await signStatement(encoding, statement, by, certificatesFromPem(device.chainPem));
      expect(await guard.judge('sallyport-identity', encoding, forged)).toMatchObject({
        outcome: 'not_introduced',
        detail: 'not_an_authority',
      });
    }
  });

  it('cannot show the certificate of an authority and sign with another key', async () => {
    const { guard } = await guardOf(world.root);
    const { statement, signer: own } = await identityOf(world.demo, DESK);
    const device = await deviceAsAuthority(world.demo);
    for (const by of [await signerOfPair(device.keys), own as Signer]) {
      const forged = await signStatement('cose', statement, by, world.demo.intermediates);
      expect(await guard.judge('sallyport-identity', 'cose', forged)).toMatchObject({ detail: 'bad_signature' });
    }
  });

  it('cannot use the authority of another organisation, or come from one', async () => {
    const { introduce } = await guardOf(world.root);
    const forged = await identityOf(world.other, DESK);
    expect(await introduce(forged.identity)).toMatchObject({ outcome: 'not_introduced', detail: 'wrong_authority' });
    const neighbour = await identityOf(world.other, 'application:other/desk');
    expect(await introduce(neighbour.identity)).toMatchObject({ detail: 'wrong_organisation' });
  });

  it('cannot command with the keys of a device', async () => {
    const { introduce } = await guardOf(world.root, { firstUse: ['+'], applications: [] });
    const device = await identityOf(world.demo, 'device:demo/pump/pump-8');
    expect((await introduce(device.identity)).outcome).toBe('not_introduced');
  });

  it('cannot give keys a name that is not theirs', async () => {
    const { introduce } = await guardOf(world.root);
    const renamed = await identityOf(world.demo, DESK, { keyId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    expect(await introduce(renamed.identity)).toMatchObject({ detail: 'malformed' });
  });

  it('cannot come back with a revoked or ended key, and cannot revoke those of others', async () => {
    const { introduce, outcome } = await guardOf(world.root, {
      applications: [
        { application: 'desk', commands: ['+'] },
        { application: 'tap', commands: ['+'] },
      ],
    });
    const stolen = await identityOf(world.demo, DESK);
    await introduce(stolen.identity);
    expect(await outcome(await commandBy(stolen))).toBe('valid');
    // A statement of tap cannot end the key of desk.
    const tap = await identityOf(world.demo, 'application:demo/tap', { revoked: [stolen.keyId] });
    await introduce(tap.identity);
    expect(await outcome(await commandBy(stolen))).toBe('valid');
    const fresh = await identityOf(world.demo, DESK, { revoked: [stolen.keyId], issuedAt: NOW });
    await introduce(fresh.identity, 'jws');
    expect(await outcome(await commandBy(stolen))).toBe('key_ended');
    expect(await introduce(stolen.identity)).toMatchObject({ outcome: 'not_introduced', detail: 'revoked' });
    expect(await outcome(await commandBy(fresh))).toBe('valid');
    const old = await identityOf(world.demo, DESK, { notAfter: NOW - 3_600_000 });
    expect(await introduce(old.identity)).toMatchObject({ detail: 'expired' });
  });

  it('cannot be the second of a device that takes the first', async () => {
    const { introduce, outcome } = await guardOf(world.root, { applications: [], firstUse: ['+'] });
    const first = await identityOf(world.demo, DESK);
    const second = await identityOf(world.demo, 'application:demo/tap');
    expect((await introduce(first.identity)).outcome).toBe('introduced');
    expect((await introduce(second.identity)).outcome).toBe('not_introduced');
    expect(await outcome(await commandBy(first))).toBe('valid');
    expect(await outcome(await commandBy(second, { application: 'application:demo/tap' }))).toBe('unknown_key');
  });
});
