import { webcrypto } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  authorityProblem,
  type CertificateAuthority,
  canonicalSerial,
  createCertificateRequest,
  createIntermediateAuthority,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  readCertificate,
  readCertificateRequest,
  verifyChain,
} from '../src/index.ts';
import { x509 } from '../src/x509-library.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 24 * 60 * 60_000;

let root: CertificateAuthority;
beforeAll(async () => {
  root = await createRootAuthority({ commonName: 'Root', now: NOW, validity: 100 * DAY });
});

/** An authority made by hand, with whatever is wrong with it. */
async function odd(
  algorithm: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams,
  hash: string,
  extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(true)],
): Promise<Uint8Array> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Odd',
    notBefore: new Date(NOW - DAY),
    notAfter: new Date(NOW + DAY),
    keys,
    signingAlgorithm: { name: algorithm.name, hash },
    extensions,
  });
  return new Uint8Array(certificate.rawData);
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const rsa = (modulusLength: number, hash: string) => ({
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength,
  publicExponent: Uint8Array.of(1, 0, 1),
  hash,
});

describe('authorityProblem', () => {
  it('finds none in a root, in an authority below one, and in one without key usages', async () => {
    const between = await createIntermediateAuthority({ authority: root, commonName: 'B', now: NOW, validity: DAY });
    expect(await authorityProblem(root.certificate.der, NOW)).toBeUndefined();
    expect(await authorityProblem(between.certificate.der, NOW)).toBeUndefined();
    expect(await authorityProblem(await odd(P256, 'SHA-256'), NOW)).toBeUndefined();
    expect(await authorityProblem(await odd(rsa(2048, 'SHA-256'), 'SHA-256'), NOW)).toBeUndefined();
  });

  it('says what is wrong with one that is none, out of date, weak or not understood', async () => {
    const keys = await generateKeyPair();
    const leaf = await issueClientCertificate({
      authority: root,
      publicKey: keys.publicKey,
      commonName: 'd:a:b',
      now: NOW,
    });
    const isAuthority = new x509.BasicConstraintsExtension(true);
    const cannotSign = new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true);
    const unheardOf = new x509.Extension('1.2.3.4', true, Uint8Array.of(0x30, 0));
    expect(await authorityProblem(leaf.der, NOW)).toBe('not_an_authority');
    expect(await authorityProblem(root.certificate.der, NOW + 200 * DAY)).toBe('authority_expired');
    expect(await authorityProblem(root.certificate.der, NOW - 200 * DAY)).toBe('authority_not_yet_valid');
    expect(await authorityProblem(await odd(P256, 'SHA-256', [isAuthority, cannotSign]), NOW)).toBe('wrong_usage');
    expect(await authorityProblem(await odd(P256, 'SHA-256', [isAuthority, unheardOf]), NOW)).toBe(
      'unknown_critical_extension',
    );
    expect(await authorityProblem(await odd(rsa(1024, 'SHA-256'), 'SHA-256'), NOW)).toBe('weak_algorithm');
    expect(await authorityProblem(await odd(rsa(2048, 'SHA-1'), 'SHA-1'), NOW)).toBe('weak_algorithm');
    expect(await authorityProblem(await odd(P256, 'SHA-1'), NOW)).toBe('weak_algorithm');
    expect(await authorityProblem(Uint8Array.of(1, 2, 3), NOW)).toBe('malformed');
  });
});

it('tells the whole path, from the certificate to the root', async () => {
  const between = await createIntermediateAuthority({ authority: root, commonName: 'B', now: NOW, validity: DAY });
  const { publicKey } = await generateKeyPair();
  const { der } = await issueClientCertificate({ authority: between, publicKey, commonName: 'd:a:b', now: NOW });
  const answer = await verifyChain({
    chain: [der, between.certificate.der],
    roots: [root.certificate.der],
    at: NOW,
    purpose: 'client',
  });
  expect(answer.verified && answer.path.map(({ subject }) => subject)).toEqual(['CN=d:a:b', 'CN=B', 'CN=Root']);
  expect(answer.verified && answer.path[0]?.issuerNameHash).toBe(between.certificate.subjectNameHash);
});

it('reads a serial in every form in which other tools write it', async () => {
  expect(['0x0D', 'd', '0D', '00:0d', ' 000D '].map(canonicalSerial)).toEqual(['0d', '0d', '0d', '0d', '0d']);
  expect(canonicalSerial('00')).toBe('00');
  const read = await readCertificate(root.pem);
  expect(read.ok && canonicalSerial(read.value.serial.toUpperCase())).toBe(read.ok && read.value.serial);
});

it('refuses a request with a short key', async () => {
  const keys = await webcrypto.subtle.generateKey(rsa(1024, 'SHA-256'), true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=x',
    keys,
    signingAlgorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  });
  expect(await readCertificateRequest(new Uint8Array(request.rawData))).toMatchObject({
    ok: false,
    problem: expect.stringContaining('too short'),
  });
  const good = await createCertificateRequest({ keys: await generateKeyPair(), commonName: 'x' });
  expect((await readCertificateRequest(good)).ok).toBe(true);
});
