import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRootAuthority, generateKeyPair, issueClientCertificate, keyPairToPem } from '@sallyport/trust';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { renewalDue } from '../src/certificate-files.ts';
import { readPair, writePair } from '../src/pair-files.ts';
import type { Pair } from '../src/renew-by-est.ts';

const DAY = 86_400_000;
let folder: string;
let old: Pair;
let fresh: Pair;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-pair-'));
  const now = Math.floor(Date.now() / 1000) * 1000;
  const authority = await createRootAuthority({ commonName: 'Plant', now, validity: 1000 * DAY });
  const pair = async (): Promise<Pair> => {
    const keys = await generateKeyPair();
    const issued = await issueClientCertificate({
      ...{ authority, publicKey: keys.publicKey, commonName: 'd:pump:pump-7', now, validity: 360 * DAY },
    });
    return { cert: issued.chainPem, key: await keyPairToPem(keys) };
  };
  old = await pair();
  fresh = await pair();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const paths = () => ({ cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') });
const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
beforeEach(() => {
  for (const name of ['cert.pem.next', 'key.pem.next']) rmSync(join(folder, name), { force: true });
  put('cert.pem', old.cert);
  put('key.pem', old.key);
});

describe('a certificate and its key in two files', () => {
  it('are changed together, and can be read by their owner only', async () => {
    await writePair(paths(), fresh);
    expect(await readPair(paths())).toEqual(fresh);
    expect(statSync(paths().key).mode & 0o777).toBe(0o600);
    expect(existsSync(`${paths().cert}.next`)).toBe(false);
  });

  it.each<[string, () => void, () => Pair]>([
    ['before anything was whole', () => put('key.pem.next', fresh.key.slice(0, 40)), () => old],
    ['after the key was written', () => put('key.pem.next', fresh.key), () => old],
    [
      'in the middle of the certificate',
      () => {
        put('key.pem.next', fresh.key);
        put('cert.pem.next', fresh.cert.slice(0, 200));
      },
      () => old,
    ],
    [
      'after both were written',
      () => {
        put('key.pem.next', fresh.key);
        put('cert.pem.next', fresh.cert);
      },
      () => fresh,
    ],
    [
      'between the two that take their places',
      () => {
        put('key.pem.next', fresh.key);
        put('cert.pem.next', fresh.cert);
        renameSync(join(folder, 'key.pem.next'), paths().key);
      },
      () => fresh,
    ],
  ])('belong together after a crash %s', async (_, crash, expected) => {
    crash();
    expect(await readPair(paths())).toEqual(expected());
    expect(readFileSync(paths().cert, 'utf8') + readFileSync(paths().key, 'utf8')).toBe(
      expected().cert + expected().key,
    );
    expect(existsSync(`${paths().key}.next`) || existsSync(`${paths().cert}.next`)).toBe(false);
  });

  it('are named when they do not belong together, or one is not there', async () => {
    put('key.pem', fresh.key);
    await expect(readPair(paths())).rejects.toMatchObject({ code: 'key_material_invalid' });
    rmSync(paths().key);
    await expect(readPair(paths())).rejects.toThrow('cannot be read');
  });

  it('stay as they are when the new ones cannot be written', async () => {
    const nowhere = { cert: join(folder, 'nowhere', 'cert.pem'), key: paths().key };
    await expect(writePair(nowhere, fresh)).rejects.toMatchObject({ code: 'certificate_not_renewed' });
    expect(await readPair(paths())).toEqual(old);
  });
});

describe('a renewal', () => {
  it('is due between two and three quarters of the life of a certificate, spread over a fleet', async () => {
    const from = await renewalDue(old.cert, 0, () => 0);
    const days = async (random: number) => ((await renewalDue(old.cert, undefined, () => random)) - from) / DAY;
    expect(await days(0)).toBeCloseTo(240, 1);
    expect(await days(1)).toBeCloseTo(270, 1);
  });
});
