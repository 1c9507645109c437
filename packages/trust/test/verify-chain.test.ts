import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CertificateAuthority,
  createIntermediateAuthority,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  issueServerCertificate,
  type KeyPair,
  readCertificate,
  verifyChain,
} from '../src/index.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 24 * 60 * 60_000;

let root: CertificateAuthority;
let intermediate: CertificateAuthority;
let keys: KeyPair;
let leaf: Buffer;

beforeAll(async () => {
  root = await createRootAuthority({ commonName: 'Root', now: NOW, validity: 1000 * DAY });
  intermediate = await createIntermediateAuthority({
    authority: root,
    commonName: 'Between',
    now: NOW,
    validity: 60 * DAY,
  });
  keys = await generateKeyPair();
  leaf = Buffer.from(await clientOf(intermediate));
});

async function clientOf(authority: CertificateAuthority, validity = 30 * DAY): Promise<Uint8Array> {
  const options = { authority, publicKey: keys.publicKey, commonName: 'd:pump:pump-7', now: NOW, validity };
  return (await issueClientCertificate(options)).der;
}

const verify = (chain: Uint8Array[], at = NOW, roots = [root.certificate.der]) =>
  verifyChain({ chain, roots, at, purpose: 'client' });

describe('verifyChain', () => {
  it('follows the path to the root in any order of the authorities', async () => {
    const between = intermediate.certificate.der;
    for (const chain of [
      [leaf, between],
      [leaf, root.certificate.der, between],
    ]) {
      expect(await verify(chain)).toMatchObject({
        verified: true,
        certificate: { commonName: 'd:pump:pump-7' },
        root: { subject: 'CN=Root' },
      });
    }
  });

  it('does not trust a root because it was presented', async () => {
    expect(await verify([leaf, intermediate.certificate.der, root.certificate.der], NOW, [])).toMatchObject({
      verified: false,
      reason: 'unknown_authority',
    });
  });

  it('tells a missing link, wrong dates and wrong use apart', async () => {
    const between = intermediate.certificate.der;
    expect(await verify([leaf])).toEqual({
      verified: false,
      reason: 'unknown_authority',
      subject: 'CN=d:pump:pump-7',
      issuer: 'CN=Between',
    });
    expect(await verify([leaf, between], NOW + 31 * DAY)).toMatchObject({ reason: 'expired' });
    expect(await verify([leaf, between], NOW - DAY)).toMatchObject({ reason: 'not_yet_valid' });
    const { der } = await issueServerCertificate({
      authority: intermediate,
      publicKey: keys.publicKey,
      dnsNames: ['localhost'],
      now: NOW,
    });
    expect(await verify([der, between])).toMatchObject({ reason: 'wrong_usage' });
    expect(await verify([])).toMatchObject({ reason: 'malformed' });
    expect(await verify([new Uint8Array([1, 2, 3])])).toMatchObject({ reason: 'malformed' });
    expect(await verify(Array.from({ length: 11 }, () => leaf))).toMatchObject({ reason: 'malformed' });
  });

  it('refuses a path with an authority that is past its time', async () => {
    const short = await createRootAuthority({ commonName: 'Short', now: NOW, validity: 10 * DAY });
    const der = await clientOf({ ...short, certificate: { ...short.certificate, notAfter: NOW + 100 * DAY } });
    expect(await verify([der], NOW + 20 * DAY, [short.certificate.der])).toMatchObject({
      reason: 'authority_expired',
      subject: 'CN=Short',
    });
  });

  it('refuses a certificate that a client made with its own certificate', async () => {
    const read = await readCertificate(leaf);
    if (!read.ok) throw new Error(read.problem);
    const pretender: CertificateAuthority = { certificate: read.value, keys, pem: '', intermediates: [] };
    const forged = await clientOf(pretender);
    expect(await verify([forged, leaf, intermediate.certificate.der])).toMatchObject({ reason: 'not_an_authority' });
  });

  it('refuses an authority below one that may have none', async () => {
    const below = await createIntermediateAuthority({
      authority: intermediate,
      commonName: 'Below',
      now: NOW,
      validity: 50 * DAY,
    });
    const der = await clientOf(below);
    expect(await verify([der, below.certificate.der, intermediate.certificate.der])).toMatchObject({
      reason: 'path_too_long',
    });
  });

  it('refuses the same name with another key', async () => {
    const twin = await createRootAuthority({ commonName: 'Root', now: NOW, validity: 100 * DAY });
    expect(await verify([await clientOf(twin)])).toMatchObject({ reason: 'bad_signature' });
    expect(await verify([await clientOf(twin)], NOW, [root.certificate.der, twin.certificate.der])).toMatchObject({
      verified: true,
    });
  });

  it('never verifies a certificate in which a bit was changed', async () => {
    const between = intermediate.certificate.der;
    // Everything around the signed content bit by bit, and samples within it.
    const content = 4 + 4 + leaf.readUInt16BE(6);
    const around = [...Array(4).keys(), ...Array.from({ length: 20 }, (_, index) => content + index)];
    const within = Array.from({ length: 40 }, (_, index) => 8 + Math.floor(((content - 8) * index) / 40));
    for (const at of [...around, ...within]) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(leaf);
        changed[at]! ^= 1 << bit;
        expect((await verify([changed, between])).verified, `byte ${at}, bit ${bit}`).toBe(false);
      }
    }
  });

  it('refuses a certificate with bytes after it or with lengths in more bytes than they need', async () => {
    const longer = Buffer.concat([leaf, Buffer.of(0)]);
    expect(await verify([longer, intermediate.certificate.der])).toMatchObject({ reason: 'malformed' });
    const length = leaf.readUInt16BE(2);
    const wordy = Buffer.concat([Buffer.from([0x30, 0x83, 0, length >> 8, length & 0xff]), leaf.subarray(4)]);
    expect(await verify([wordy, intermediate.certificate.der])).toMatchObject({ reason: 'malformed' });
  });

  it('ends with an answer for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await verify([bytes, leaf])).verified).toBe(false);
        expect((await readCertificate(bytes)).ok).toBe(false);
      }),
      { numRuns: 80 },
    );
  });
});
