import { createHash } from 'node:crypto';
import { makeScramVerifier } from '@sallyport/trust/secrets';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExchangeStep } from '../../src/authentication/exchange-method.ts';
import type { KnownCredential } from '../../src/authentication/known-principal.ts';
import { scramMethod } from '../../src/authentication/scram.ts';
import { readClientFinal, readClientFirst } from '../../src/authentication/scram-messages.ts';
import { application, evidence, NOW } from './known.ts';

const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();
const bytes = (value: string) => Buffer.from(value);

let credential: KnownCredential;
beforeAll(async () => {
  // RFC 7677 section 3.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const { storedKey, serverKey } = await makeScramVerifier('SHA-256', 'pencil', { salt, iterations: 4096 });
  const hash = `SCRAM-SHA-256$4096:${salt.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
  credential = { id: 'c1', kind: 'scram', hash, username: 'user', createdAt: NOW - 1000 };
});

function method(changes: Partial<KnownCredential> = {}) {
  return scramMethod({
    hash: 'SHA-256',
    findByUsername: (name) => (name === 'user' ? application([{ ...credential, ...changes }]) : undefined),
    decoy: (what) => createHash('sha256').update(`secret ${what}`).digest(),
    nonce: () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    now: () => NOW,
  });
}

async function challenge(first: string, changes: Partial<KnownCredential> = {}) {
  const step = await method(changes).begin(evidence('a:demo:desk'), bytes(first));
  if (step.outcome !== 'continue') throw new Error(JSON.stringify(step));
  return step;
}

const FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
const FINAL =
  'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';

async function finish(final: string, changes: Partial<KnownCredential> = {}): Promise<ExchangeStep> {
  return (await challenge(FIRST, changes)).next(bytes(final));
}

describe('SCRAM-SHA-256', () => {
  it('says what RFC 7677 says, word for word', async () => {
    const step = await challenge(FIRST);
    expect(text(step.data)).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    const end = await step.next(bytes(FINAL));
    expect(end).toMatchObject({ outcome: 'accepted', grounds: { credential: 'c1', credentialKind: 'scram' } });
    expect(end.outcome === 'accepted' && text(end.data)).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  it.each([
    ['another proof', FINAL.replace('dHzb', 'dHzc'), 'wrong_secret'],
    ['no proof', FINAL.slice(0, FINAL.indexOf(',p=')), 'exchange_broken_off'],
    ['an empty proof', `${FINAL.slice(0, FINAL.indexOf(',p='))},p=`, 'wrong_secret'],
    ['another nonce', FINAL.replace('k0,p', 'k1,p'), 'exchange_broken_off'],
    ['its own nonce alone', FINAL.replace('%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', ''), 'exchange_broken_off'],
    ['another header (y,,)', FINAL.replace('biws', 'eSws'), 'exchange_broken_off'],
    [
      'channel binding (p=tls-unique,,)',
      FINAL.replace('biws', bytes('p=tls-unique,,').toString('base64')),
      'exchange_broken_off',
    ],
    ['an attribute more', FINAL.replace(',p=', ',x=1,p='), 'wrong_secret'],
    ['base64 that is none', FINAL.replace('dHzb', '????'), 'exchange_broken_off'],
    ['nothing', '', 'exchange_broken_off'],
  ])('refuses a last message with %s', async (_, final, reason) => {
    expect(await finish(final)).toMatchObject({ outcome: 'rejected', reason });
  });

  it('tells the right password of a revoked or expired credential apart, for the operator', async () => {
    expect(await finish(FINAL, { revokedAt: 1, revokedBy: 'operator:ann' })).toMatchObject({
      reason: 'credential_revoked',
    });
    expect(await finish(FINAL, { expiresAt: NOW })).toMatchObject({ reason: 'credential_expired' });
    expect(await finish(FINAL.replace('dHzb', 'dHzc'), { revokedAt: 1 })).toMatchObject({ reason: 'wrong_secret' });
  });

  it('gives a name that nobody has a salt that stays, and refuses it at the end', async () => {
    const salts = new Set<string>();
    for (let time = 0; time < 3; time++) {
      const step = await challenge('n,,n=nobody,r=12345678');
      const [, salt = '', iterations = ''] = text(step.data).split(',');
      salts.add(salt);
      expect(Buffer.from(salt.slice(2), 'base64')).toHaveLength(16);
      expect(iterations).toBe('i=32768');
      const end = await step.next(
        bytes(`c=biws,r=12345678%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=${Buffer.alloc(32).toString('base64')}`),
      );
      expect(end).toMatchObject({ outcome: 'rejected', reason: 'unknown_identity' });
    }
    expect(salts.size).toBe(1);
    expect(text((await challenge('n,,n=somebody,r=12345678')).data)).not.toContain([...salts][0]);
  });

  it('tells the operator that a name has no password for SCRAM, and the client nothing', async () => {
    expect(await finish(FINAL, { kind: 'password' })).toMatchObject({ reason: 'no_valid_credential' });
  });
});

describe('the first message', () => {
  it.each([
    ['', 'n,,'],
    ['n=user,r=12345678', 'n,,'],
    ['p=tls-exporter,,n=user,r=12345678', 'channel binding'],
    ['n,a=admin,n=user,r=12345678', 'somebody else'],
    ['n,,m=x,n=user,r=12345678', 'extension'],
    ['n,,n=,r=12345678', 'user name'],
    ['n,,n=a=b,r=12345678', 'user name'],
    ['n,,n=a=2c,r=12345678', 'user name'],
    [`n,,n=${'a'.repeat(300)},r=12345678`, 'user name'],
    ['n,,n=user,r=1234567', 'nonce'],
    ['n,,n=user,r=1234567\n8', 'nonce'],
    ['n,,n=user', 'form'],
    ['n,,r=12345678,n=user', 'form'],
  ])('%j is refused: %s', (first, problem) => {
    expect(readClientFirst(first)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) as string });
  });

  it('is read with an escaped name, and by a client that could bind channels', () => {
    expect(readClientFirst('y,,n=a=2Cb=3Dc,r=12345678,x=1')).toMatchObject({
      ok: true,
      value: { username: 'a,b=c', gs2Header: 'y,,', bare: 'n=a=2Cb=3Dc,r=12345678,x=1' },
    });
  });
});

describe('the last message', () => {
  it('keeps what stands before the proof for what is proven', () => {
    expect(readClientFinal('c=biws,r=x,y=1,p=AAAA')).toMatchObject({
      ok: true,
      value: { withoutProof: 'c=biws,r=x,y=1' },
    });
  });
});
