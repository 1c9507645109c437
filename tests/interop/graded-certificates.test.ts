import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { knock, type Pair } from '../certificate-clients.ts';
import { AUTHORITY, CLIENT, OpensslCertificates } from '../openssl-certificates.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
/** A client that would send anything. */
const CARELESS = 'DEFAULT@SECLEVEL=0';

const WAYS = [
  ['asks for certificates', {}],
  ['demands certificates', { 'listeners.mqttTls.clientCertificates': 'require' }],
  ['demands certificates in two workers', { 'listeners.mqttTls.clientCertificates': 'require', workers: 2 }],
] as const;

/** What is presented, how, and the answer: `admitted`, or a reason with words of its last step. `connect`: what a handshake cannot know. */
interface Case {
  readonly what: string;
  readonly make: (made: OpensslCertificates) => Pair;
  readonly answer: string;
  /** Also right: what the client itself may leave out. */
  readonly or?: string;
  readonly words?: string;
  readonly serverName?: string;
  readonly clientId?: string;
  readonly tls?: ConnectionOptions;
}

describeWith(['openssl'], 'certificates of openssl, graded', ({ openssl = '' }) => {
  const made = new OpensslCertificates(openssl);
  beforeAll(() => makeAuthorities(made), 120_000);
  afterAll(() => made.remove());

  it.each(WAYS)(
    'by a server that %s',
    async (_way, settings) => {
      const server = await testServer(settings);
      try {
        await prepare(server, made);
        const wrong: unknown[] = [];
        for (const each of CASES) {
          const { what, answer, words = '' } = each;
          const pair = each.make(made);
          for (const version of VERSIONS) {
            const seen = await graded(server, each, pair, version);
            if (process.env.GRADE) console.log(what, version, JSON.stringify(seen));
            const right =
              (seen.answer === answer || seen.answer === each.or) &&
              seen.text.includes(words) &&
              (answer === 'admitted' || seen.cure !== '');
            if (!right) wrong.push({ what, version, answer, words, seen });
          }
        }
        expect(wrong).toEqual([]);
      } finally {
        await server.close();
      }
    },
    300_000,
  );
});

async function graded(server: TestServer, given: Case, pair: Pair, version: (typeof VERSIONS)[number]) {
  const before = await refusals(server);
  const { code, client } = await knock(server, {
    clientId: given.clientId ?? clientId,
    ...pair,
    ...(given.serverName === undefined ? {} : { serverName: given.serverName }),
    tls: { minVersion: version, maxVersion: version, ciphers: CARELESS, ...given.tls },
  });
  await client.endAsync(true);
  if (code === 0) return { answer: 'admitted', text: '', cure: '' };
  // Another process of the server tells of its refusals a moment later.
  const newest = await vi.waitFor(
    async () => {
      const now = await refusals(server);
      expect(now.count).toBeGreaterThan(before.count);
      return now.newest;
    },
    { timeout: 30_000, interval: 50 },
  );
  const step = newest?.steps.at(-1);
  return {
    answer: newest?.reason,
    text: [step?.text, step?.compared?.found].join(' '),
    cure: newest?.cure ?? '',
    action: newest?.action,
  };
}

async function refusals({ api }: TestServer) {
  const { items } = await api.refusals({ limit: 500 });
  const [newest] = [...items].sort((a, b) => b.lastAt.localeCompare(a.lastAt));
  return { newest, count: items.reduce((sum, { count }) => sum + count, 0) };
}

function makeAuthorities(made: OpensslCertificates): void {
  made.make({ name: 'root', subject: '/CN=Plant root', extensions: AUTHORITY });
  made.make({ name: 'second', subject: '/CN=Second root', extensions: AUTHORITY });
  made.make({ name: 'rsa-root', subject: '/CN=RSA root', extensions: AUTHORITY, key: ['-newkey', 'rsa:2048'] });
  made.make({ name: 'leaving', subject: '/CN=Leaving root', extensions: AUTHORITY });
  made.make({ name: 'line', by: 'root', subject: '/CN=Line 1', extensions: AUTHORITY });
  made.make({ name: 'unknown', subject: '/CN=Unknown root', extensions: AUTHORITY });
  // One authority, certified by a root that nobody trusts and by one that is trusted.
  made.make({ name: 'crossed', by: 'unknown', subject: '/CN=Crossed', extensions: AUTHORITY });
  made.make({ name: 'crossed-here', by: 'second', subject: '/CN=Crossed', extensions: AUTHORITY, keyOf: 'crossed' });
  for (let depth = 1; depth <= 12; depth++) {
    const by = depth === 1 ? 'root' : `depth-${depth - 1}`;
    made.make({ name: `depth-${depth}`, by, subject: `/CN=Depth ${depth}`, extensions: AUTHORITY });
  }
  made.make({ name: 'pinned', extensions: CLIENT, subject: '/CN=whatever' });
  made.make({ name: 'twin', by: 'root', extensions: CLIENT, more: ['-set_serial', '0x7777'] });
  made.make({ name: 'other-twin', by: 'second', extensions: CLIENT, more: ['-set_serial', '0x7777'] });
}

async function prepare({ api }: TestServer, made: OpensslCertificates): Promise<void> {
  await api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
  const ids: Record<string, string> = {};
  for (const name of ['root', 'second', 'rsa-root', 'leaving']) {
    const { id } = await api.authorities.add(organisation, made.pem(name));
    ids[name] = id;
  }
  await api.authorities.remove(organisation, ids.leaving ?? '');
  await api.certificates.revokeForeign(organisation, { authority: ids.root ?? '', serial: '7777' });
  await api.certificates.pin(organisation, { principal: 'device:demo/pump/pump-7', certificate: made.pem('pinned') });
  await api.devices.create({ organisation, type: 'pump', id: 'pump-9' });
  await api.devices.suspend({ organisation, type: 'pump', id: 'pump-9' });
}

/** Of a certificate whose name has this text, with other bytes in its place, signed again. */
function renamed(made: OpensslCertificates, name: string, text: string, bytes: Buffer): Pair {
  const pair = made.pair(name);
  const der = Buffer.from(new X509Certificate(pair.cert).raw);
  const at = der.indexOf(text, der.indexOf(text) < der.length / 3 ? 0 : der.length / 3);
  bytes.copy(der, at);
  const content = der.subarray(4, 4 + 4 + der.readUInt16BE(6));
  const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const signature = sign('sha256', content, createPrivateKey(readFileSync(made.path('root.key'))));
  const bits = Buffer.concat([Buffer.of(0x03, signature.length + 1, 0), signature]);
  const inside = Buffer.concat([content, algorithm, bits]);
  const head = Buffer.of(0x30, 0x82, inside.length >> 8, inside.length & 255);
  const forged = Buffer.concat([head, inside]).toString('base64');
  const pem = `-----BEGIN CERTIFICATE-----\n${forged.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
  writeFileSync(made.path(`${name}.pem`), pem);
  return made.pair(name);
}

const leaf =
  (name: string, more: Partial<Parameters<OpensslCertificates['make']>[0]> = {}) =>
  (made: OpensslCertificates): Pair => {
    made.make({ name, by: 'root', extensions: CLIENT, ...more });
    return made.pair(name);
  };
const EC = (curve: string) => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`];
const CASES: readonly Case[] = [
  {
    what: 'no extended key usage',
    answer: 'admitted',
    make: leaf('no-eku', { extensions: 'keyUsage=critical,digitalSignature' }),
  },
  { what: 'no extension at all', answer: 'admitted', make: leaf('bare', { extensions: '' }) },
  {
    what: 'any purpose',
    answer: 'admitted',
    make: leaf('any', { extensions: CLIENT.replace('clientAuth', 'anyExtendedKeyUsage') }),
  },
  {
    what: 'code signing',
    answer: 'certificate_wrong_usage',
    make: leaf('code', { extensions: CLIENT.replace('clientAuth', 'codeSigning,emailProtection') }),
  },
  {
    what: 'an authority that may sign handshakes',
    answer: 'admitted',
    make: leaf('ca-leaf', {
      extensions:
        'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,keyCertSign\nextendedKeyUsage=clientAuth',
    }),
  },
  {
    what: 'an authority that may only certify',
    answer: 'certificate_wrong_usage',
    make: leaf('ca-only', { extensions: AUTHORITY }),
  },
  { what: 'P-384', answer: 'admitted', make: leaf('p384', { key: EC('P-384') }) },
  { what: 'P-521', answer: 'admitted', make: leaf('p521', { key: EC('P-521') }) },
  { what: 'Ed25519', answer: 'admitted', make: leaf('ed25519', { key: ['-newkey', 'ed25519'] }) },
  { what: 'RSA 2048', answer: 'admitted', make: leaf('rsa', { key: ['-newkey', 'rsa:2048'] }) },
  {
    what: 'RSA-PSS',
    answer: 'admitted',
    make: leaf('pss', { key: ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'] }),
  },
  {
    what: 'secp256k1',
    answer: 'certificate_invalid',
    or: 'certificate_required',
    make: leaf('k1', { key: EC('secp256k1') }),
  },
  {
    what: 'P-224',
    answer: 'certificate_invalid',
    or: 'certificate_required',
    make: leaf('p224', { key: EC('P-224') }),
  },
  {
    what: 'MD5',
    answer: 'certificate_invalid',
    words: 'broken hash',
    make: leaf('md5', { by: 'rsa-root', more: ['-md5'] }),
  },
  { what: 'SHA-512', answer: 'admitted', make: leaf('sha512', { more: ['-sha512'] }) },
  { what: 'whole type', answer: 'admitted', make: leaf('type', { subject: '/CN=d:pump:' }) },
  {
    what: 'whole other type',
    answer: 'certificate_name_mismatch',
    words: 'd:meter:',
    make: leaf('other-type', { subject: '/CN=d:meter:' }),
  },
  {
    what: 'email alone',
    answer: 'admitted',
    make: leaf('email', { subject: '/O=Plant', extensions: `${CLIENT}\nsubjectAltName=email:d:pump:pump-7` }),
  },
  {
    what: 'URI alone',
    answer: 'admitted',
    make: leaf('uri', { subject: '/O=Plant', extensions: `${CLIENT}\nsubjectAltName=URI:d:pump:pump-7` }),
  },
  {
    what: 'DNS name of that form',
    answer: 'certificate_name_mismatch',
    make: leaf('dns', { subject: '/O=Plant', extensions: `${CLIENT}\nsubjectAltName=DNS:pump-7` }),
  },
  {
    what: 'plain name',
    answer: 'certificate_name_mismatch',
    words: 'does not name this client',
    make: leaf('plain', { subject: '/CN=pump-7' }),
  },
  {
    what: 'client id as name',
    answer: 'certificate_name_mismatch',
    words: 'd:demo:pump:pump-7',
    make: leaf('whole', { subject: '/CN=d:demo:pump:pump-7' }),
  },
  {
    what: 'no name',
    answer: 'certificate_name_mismatch',
    words: 'none',
    make: leaf('nameless', { subject: '/O=Plant' }),
  },
  {
    what: 'several names, the last is it',
    answer: 'admitted',
    make: leaf('several', { subject: '/CN=d:pump:pump-8/CN=d:pump:pump-7' }),
  },
  {
    what: 'several names, the first is it',
    answer: 'certificate_name_mismatch',
    words: 'd:pump:pump-8',
    make: leaf('several-first', { subject: '/CN=d:pump:pump-7/CN=d:pump:pump-8' }),
  },
  {
    what: 'look-alike letters',
    answer: 'certificate_name_mismatch',
    words: 'd:pump:pum?-7',
    make: leaf('alike', { subject: '/CN=d:pump:pum\u0440-7' }),
  },
  {
    what: 'zero byte',
    answer: 'certificate_name_mismatch',
    words: 'd:pump:pump-7?evil',
    make: (made) => {
      leaf('zero-byte', { subject: '/CN=d:pump:pump-7_evil' })(made);
      return renamed(made, 'zero-byte', '_evil', Buffer.from('\0evil'));
    },
  },
  { what: 'serial zero', answer: 'admitted', make: leaf('serial-zero', { more: ['-set_serial', '0'] }) },
  { what: 'negative serial', answer: 'admitted', make: leaf('serial-negative', { more: ['-set_serial', '-5'] }) },
  { what: 'revoked', answer: 'certificate_revoked', make: (made) => made.pair('twin') },
  { what: 'serial of a revoked one of another authority', answer: 'admitted', make: (made) => made.pair('other-twin') },
  {
    what: '8 KB of names',
    answer: 'admitted',
    make: leaf('names', {
      extensions: `${CLIENT}\nsubjectAltName=${Array.from({ length: 400 }, (_, i) => `DNS:name-${i}.example`).join(',')}`,
    }),
  },
  {
    what: 'critical constraint that nobody knows',
    answer: 'certificate_invalid',
    make: leaf('policy', { extensions: `${CLIENT}\npolicyConstraints=critical,requireExplicitPolicy:0` }),
  },
  {
    what: 'certified crosswise',
    answer: 'admitted',
    make: (made) => {
      made.make({ name: 'cross', by: 'crossed', extensions: CLIENT });
      return made.pair('cross', 'crossed', 'crossed-here');
    },
  },
  {
    what: 'certified crosswise, the wrong one',
    answer: 'certificate_unknown_authority',
    words: 'its issuer is CN=Unknown root',
    make: (made) => {
      made.make({ name: 'cross-2', by: 'crossed', extensions: CLIENT });
      return made.pair('cross-2', 'crossed', 'unknown');
    },
  },
  {
    what: 'chain in disorder',
    answer: 'admitted',
    make: (made) => {
      made.make({ name: 'messy', by: 'depth-3', extensions: CLIENT });
      return made.pair('messy', 'depth-1', 'root', 'depth-3', 'depth-2');
    },
  },
  {
    what: 'chain of eleven',
    answer: 'certificate_invalid',
    words: 'too many others',
    make: (made) => {
      made.make({ name: 'tall', by: 'depth-12', extensions: CLIENT });
      return made.pair('tall', ...Array.from({ length: 12 }, (_, i) => `depth-${12 - i}`));
    },
  },
  {
    what: 'removed authority',
    answer: 'certificate_unknown_authority',
    words: 'Leaving root',
    make: (made) => {
      made.make({ name: 'left', by: 'leaving', extensions: CLIENT });
      return made.pair('left');
    },
  },
  { what: 'pinned', answer: 'admitted', make: (made) => made.pair('pinned') },
  {
    what: 'pinned to another',
    answer: 'certificate_name_mismatch',
    clientId: 'd:demo:pump:pump-8',
    make: (made) => made.pair('pinned'),
  },
  {
    what: 'suspended device',
    answer: 'principal_suspended',
    clientId: 'd:demo:pump:pump-9',
    make: leaf('suspended', { subject: '/CN=d:pump:pump-9' }),
  },
  {
    what: 'unknown device',
    answer: 'unknown_identity',
    clientId: 'd:demo:pump:pump-99',
    make: leaf('nobody', { subject: '/CN=d:pump:pump-99' }),
  },
  {
    what: 'server name of the organisation',
    answer: 'admitted',
    serverName: 'demo.messaging.example',
    make: leaf('sni'),
  },
  {
    what: 'server name of another organisation',
    answer: 'server_name_mismatch',
    serverName: 'other.messaging.example',
    make: leaf('sni-other'),
  },
  {
    what: 'server name of nobody',
    answer: 'admitted',
    serverName: 'nobody.messaging.example',
    make: leaf('sni-nobody'),
  },
];
