import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../tests/programs.ts';
import { company, serverPair } from '../../../../tests/server-pairs.ts';
import { checkServerPair, pairWarnings } from '../../src/authority/check-server-pair.ts';
import { openServerPairs } from '../../src/authority/server-pairs.ts';

const HOST = 'mqtt.company.test';
const DAY = 86_400_000;

let directory: string;
let now: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-pairs-'));
  now = Date.now();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const open = () => openServerPairs({ directory, now: () => now });

describe('imported server certificates', () => {
  it('go on after their end, which is told of otherwise, and are there after a restart', async () => {
    const pairs = await open();
    const { facts } = await pairs.set(await serverPair(await company(), [HOST]));
    now = facts.notAfter + DAY;
    const again = await open();
    expect(again.of()?.facts.fingerprintSha256).toBe(facts.fingerprintSha256);
    await expect(again.set(await serverPair(await company(), [HOST]))).rejects.toThrow(/has expired/);
    expect(again.of()?.facts.fingerprintSha256).toBe(facts.fingerprintSha256);
  });

  it('are written whole, one file each, and in the order in which they were asked for', async () => {
    const pairs = await open();
    const ours = await company();
    const given = await Promise.all([1, 2, 3, 4].map(() => serverPair(ours, [HOST])));
    const set = await Promise.all(given.map((pair) => pairs.set(pair)));
    expect(pairs.of()).toEqual(set.at(-1));
    expect((await open()).of()?.facts.fingerprintSha256).toBe(set.at(-1)?.facts.fingerprintSha256);
    expect(readdirSync(directory).sort()).toEqual(['organisations', 'server.pem']);
    expect(await pairs.remove()).toBe(true);
    expect(await pairs.remove()).toBe(false);
    expect((await open()).all()).toEqual([]);
  });

  it('leave the root out of what is sent, and warn of names, of a missing authority and of a self-signed one', async () => {
    const ours = await company();
    const { chain, key } = await serverPair(ours, [HOST, '*.plant.test']);
    const whole = await checkServerPair({ chain: chain + ours.root.pem, key, now });
    if (!whole.ok) throw new Error(whole.problem);
    expect(whole.value.chainPem).toBe(chain);
    expect(pairWarnings(whole.value, [HOST, 'a.plant.test'])).toEqual([]);
    expect(pairWarnings(whole.value, ['plant.test', 'a.b.plant.test', '192.0.2.1'])).toEqual([
      expect.stringContaining('It does not list plant.test, a.b.plant.test, 192.0.2.1'),
    ]);
    const [leaf = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const alone = await checkServerPair({ chain: leaf, key, now });
    if (!alone.ok) throw new Error(alone.problem);
    expect(pairWarnings(alone.value, [])).toEqual([expect.stringContaining('No authority between it and a root')]);
  });
});

describeWith(['openssl'], 'server certificates that openssl makes', ({ openssl = '' }) => {
  const made = (...more: string[]) => {
    const [cert, key] = [join(directory, 'c.pem'), join(directory, 'k.pem')];
    const args = ['req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=x', '-keyout', key, '-out', cert, ...more];
    execFileSync(openssl, args, { stdio: 'ignore' });
    return { chain: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8'), now: Date.now() + 1000 };
  };
  const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const names = ['-addext', `subjectAltName=DNS:${HOST}`];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];

  it.each([
    ['P-256', EC],
    ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['RSA', ['-newkey', 'rsa:2048']],
    ['Ed25519', ['-newkey', 'ed25519']],
  ])('are taken with a key of the kind %s, and a self-signed one is warned of', async (_, kind) => {
    const checked = await checkServerPair(made(...kind, ...names, ...leaf));
    if (!checked.ok) throw new Error(checked.problem);
    expect(pairWarnings(checked.value, [HOST])[0]).toMatch(/signed by itself/);
  });

  it.each([
    ['no name', [...EC, ...leaf], /lists no host name/],
    ['an RSA key of 1024 bits', ['-newkey', 'rsa:1024', ...names, ...leaf], /RSA key has 1024 bits|too short/],
    [
      'a curve of another kind',
      ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1', ...names, ...leaf],
      /curve|cannot be read/,
    ],
    [
      'a key usage without signatures',
      [...EC, ...names, ...leaf, '-addext', 'keyUsage=critical,keyEncipherment'],
      /digitalSignature/,
    ],
    ['an authority', [...EC, ...names, '-addext', 'extendedKeyUsage=serverAuth'], /is an authority/],
  ])('are refused with %s', async (_, args, problem) => {
    const checked = await checkServerPair(made(...args));
    expect(checked).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });
});
