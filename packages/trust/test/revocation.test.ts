import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CertificateAuthority,
  createIntermediateAuthority,
  createOcspRequest,
  createOcspResponse,
  createRevocationList,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  ocspIssuerNames,
  ocspRefusal,
  pemOf,
  type RevokedEntry,
  readCertificate,
  readOcspRequest,
  readOcspResponse,
  readRevocationList,
} from '../src/index.ts';

const NOW = Math.floor(Date.now() / 1000) * 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let folder: string;
let root: CertificateAuthority;
let authority: CertificateAuthority;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-crl-'));
  root = await createRootAuthority({ commonName: 'Test root', now: NOW, validity: 365 * DAY });
  authority = await createIntermediateAuthority({
    authority: root,
    commonName: 'Test line',
    now: NOW,
    validity: 99 * DAY,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** What it says on both streams: some of its verdicts are on the one, some on the other. */
function openssl(...args: string[]): string {
  const { stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}
const hasOpenssl = openssl('version').startsWith('OpenSSL');

async function leaf(commonName = 'd:pump:pump-7') {
  const { publicKey } = await generateKeyPair();
  const publishedAt = {
    list: 'http://pki.example/crl/1.crl',
    responder: 'http://pki.example/ocsp',
    issuer: 'http://pki.example/ca/1.crt',
  };
  const issued = await issueClientCertificate({ authority, publicKey, commonName, now: NOW, publishedAt });
  const read = await readCertificate(issued.der);
  if (!read.ok) throw new Error(read.problem);
  return { ...issued, facts: read.value };
}

async function* portions(...entries: readonly RevokedEntry[]) {
  yield entries;
}

function listOf(
  entries: readonly RevokedEntry[],
  more: { thisUpdate?: number; nextUpdate?: number; by?: CertificateAuthority } = {},
) {
  const { thisUpdate = NOW, nextUpdate = NOW + DAY, by = authority } = more;
  return createRevocationList({ authority: by, number: NOW, thisUpdate, nextUpdate, revoked: portions(...entries) });
}

/** Serials of every first byte, so that minimal integers with and without a sign byte, and short ones, occur. */
function* serials(count: number): Generator<string> {
  for (let i = 0; i < count; i++)
    yield `${(i % 256).toString(16).padStart(2, '0')}${(i + 1).toString(16).padStart(30, '0')}`;
}

describe('a revocation list', () => {
  it('is read back as it was written, whatever the serials begin with', async () => {
    const entries = [...serials(600)].map((serial, index) => ({ serial, revokedAt: NOW - index * 1000 }));
    const read = await readRevocationList({ list: await listOf(entries), issuer: authority.certificate.der });
    if (!read.ok) throw new Error(read.problem);
    expect(read.value).toMatchObject({ thisUpdate: NOW, nextUpdate: NOW + DAY });
    expect(read.value.revoked.size).toBe(600);
    const withoutZeros = (serial: string) => serial.replace(/^(00)+(?=..)/, '');
    for (const { serial, revokedAt } of entries) expect(read.value.revoked.get(withoutZeros(serial))).toBe(revokedAt);
  });

  it('may be empty, and may lie beyond 2049', async () => {
    const later = Date.UTC(2051, 5, 1);
    const list = await listOf([], { nextUpdate: later });
    const read = await readRevocationList({ list, issuer: authority.certificate.der });
    expect(read).toMatchObject({ ok: true, value: { nextUpdate: later } });
  });

  it('is refused from another authority, with another signature, cut, or with bytes behind it', async () => {
    const list = await listOf([{ serial: '4711', revokedAt: NOW }]);
    const read = (bytes: Uint8Array, issuer = authority) =>
      readRevocationList({ list: bytes, issuer: issuer.certificate.der });
    const namesake = await createIntermediateAuthority({
      authority: root,
      commonName: 'Test line',
      now: NOW,
      validity: DAY,
    });
    const turned = Uint8Array.from(list);
    turned[list.length - 5] = (turned[list.length - 5] ?? 0) ^ 1;
    expect((await read(list)).ok).toBe(true);
    for (const answer of [
      await read(list, root),
      await read(list, namesake),
      await read(turned),
      await read(list.subarray(0, -1)),
      await read(Uint8Array.of(...list, 0)),
      await read(new TextEncoder().encode('<html>not found</html>')),
    ]) {
      expect(answer.ok).toBe(false);
    }
  });

  it.skipIf(!hasOpenssl)('is believed by openssl, with the number and key identifier that it must have', async () => {
    const { facts, pem } = await leaf();
    const good = await leaf('d:pump:pump-8');
    const list = file('one.crl', pemOf('X509 CRL', await listOf([{ serial: facts.serial, revokedAt: NOW }])));
    const rootFile = file('root.pem', root.pem);
    const lineFile = file('line.pem', authority.pem);
    const said = openssl('crl', '-in', list, '-noout', '-text', '-CAfile', lineFile, '-verify');
    expect(said).toContain('verify OK');
    expect(said).toMatch(/X509v3 CRL Number:\s+\d+/);
    expect(said).toContain('X509v3 Authority Key Identifier');
    const rootList = file('root.crl', pemOf('X509 CRL', await listOf([], { by: root })));
    const verify = (certificate: string) =>
      openssl(
        ...['verify', '-crl_check_all', '-CAfile', rootFile, '-untrusted', lineFile],
        ...['-CRLfile', list, '-CRLfile', rootList, certificate],
      );
    expect(verify(file('revoked.pem', pem))).toContain('certificate revoked');
    expect(verify(file('good.pem', good.pem))).toContain('good.pem: OK');
  });

  it.skipIf(!hasOpenssl)(
    'of 200,000 certificates is believed by openssl, and lets other work have its turn',
    async () => {
      async function* many() {
        const all = serials(200_000);
        for (let portion = 0; portion < 40; portion++) {
          await new Promise((resolve) => setImmediate(resolve));
          yield Array.from({ length: 5000 }, () => ({ serial: String(all.next().value), revokedAt: NOW }));
        }
      }
      let turns = 0;
      const counting = setInterval(() => turns++, 0);
      const der = await createRevocationList({
        authority,
        number: 1,
        thisUpdate: NOW,
        nextUpdate: NOW + DAY,
        revoked: many(),
      });
      clearInterval(counting);
      expect(turns).toBeGreaterThan(10);
      const path = file('many.crl', der);
      expect(
        openssl('crl', '-inform', 'DER', '-in', path, '-noout', '-CAfile', file('line.pem', authority.pem), '-verify'),
      ).toContain('verify OK');
      const read = await readRevocationList({ list: der, issuer: authority.certificate.der });
      expect(read.ok && read.value.revoked.size).toBe(200_000);
    },
  );

  it.skipIf(!hasOpenssl)('of openssl is read, signed with RSA, ECDSA on P-384 or Ed25519', async () => {
    for (const [index, kind] of [
      ['-newkey', 'rsa:2048'],
      ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
      ['-newkey', 'ed25519'],
    ].entries()) {
      const key = join(folder, `ca-${index}.key`);
      const ca = join(folder, `ca-${index}.pem`);
      const database = file(`index-${index}.txt`, 'R\t300101000000Z\t260101000000Z\t0A1B\tunknown\t/CN=x\n');
      const configuration = file(
        `ca-${index}.cnf`,
        `[ca]\ndefault_ca=c\n[c]\ndatabase=${database}\ncrlnumber=${file(`number-${index}`, '01\n')}\ndefault_md=sha384\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n`,
      );
      openssl(
        'req',
        '-x509',
        '-nodes',
        '-sha256',
        ...kind,
        '-keyout',
        key,
        '-out',
        ca,
        '-subj',
        `/CN=Plant ${index}`,
        '-days',
        '9',
      );
      const out = join(folder, `ca-${index}.crl`);
      const digest = index === 2 ? ['-md', 'null'] : [];
      openssl(
        'ca',
        '-config',
        configuration,
        '-gencrl',
        '-keyfile',
        key,
        '-cert',
        ca,
        '-crldays',
        '7',
        '-out',
        out,
        ...digest,
      );
      const issuer = await readCertificate(readFileSync(ca, 'utf8'));
      if (!issuer.ok) throw new Error(issuer.problem);
      const read = await readRevocationList({ list: readFileSync(out), issuer: issuer.value.der });
      expect(read.ok ? [...read.value.revoked.keys()] : read.problem).toEqual(['0a1b']);
    }
  });
});

describe('OCSP', () => {
  it('is written into certificates that say where news of their revocation is', async () => {
    const { facts } = await leaf();
    expect(facts.revocation).toEqual({
      lists: ['http://pki.example/crl/1.crl'],
      responders: ['http://pki.example/ocsp'],
    });
  });

  it('answers what was asked, and the answer is good for nothing else', async () => {
    const { facts } = await leaf();
    const names = await ocspIssuerNames(authority.certificate.der);
    const request = readOcspRequest(createOcspRequest({ issuer: names, serial: facts.serial }));
    if (!request.ok) throw new Error(request.problem);
    const [asked] = request.value.asked;
    expect(asked).toMatchObject({ serial: facts.serial, hash: 'sha1', issuerKeyHash: names.sha1.key });
    const response = await createOcspResponse({
      authority,
      answers: [{ id: asked?.id ?? new Uint8Array(), status: { status: 'revoked', revokedAt: NOW - HOUR } }],
      thisUpdate: NOW,
      nextUpdate: NOW + HOUR,
    });
    const read = (bytes: Uint8Array, serial = facts.serial, issuer = authority) =>
      readOcspResponse({ response: bytes, issuer: issuer.certificate.der, names, serial, at: NOW });
    expect(await read(response)).toEqual({
      ok: true,
      value: { status: 'revoked', revokedAt: NOW - HOUR, thisUpdate: NOW, nextUpdate: NOW + HOUR },
    });
    expect((await read(response, '4711')).ok).toBe(false);
    expect((await read(response, facts.serial, root)).ok).toBe(false);
    const turned = Uint8Array.from(response);
    turned[60] = (turned[60] ?? 0) ^ 1;
    expect((await read(turned)).ok).toBe(false);
    expect(await read(ocspRefusal('tryLater'))).toMatchObject({ ok: false });
  });

  it('takes no bytes for a request that are none', () => {
    for (const bytes of [[], [0x30, 0], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], new Array(5000).fill(0x30)]) {
      expect(readOcspRequest(Uint8Array.from(bytes)).ok).toBe(false);
    }
  });
});
