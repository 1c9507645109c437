import { describe, expect, it } from 'vitest';
import { scramProof } from '../src/scram-proof.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);
const { signal } = new AbortController();
const begun = async (username = 'user', password = 'pencil', nonce = 'rOprNGfwEbeRWgbNEkqO') => {
  const proof = scramProof('SCRAM-SHA-256', username, password, () => nonce);
  return { proof, first: text((await proof.begin(signal)).data) };
};

describe('a proof by SCRAM', () => {
  it('is that of the example of RFC 7677', async () => {
    const { proof, first } = await begun();
    expect(first).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const answer = await proof.answer?.(bytes(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`));
    expect(text(answer)).toBe(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`);
    expect(proof.judge?.(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBeUndefined();
  });

  it('takes the signature of a server once', async () => {
    const { proof } = await begun();
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    await proof.answer?.(bytes(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`));
    const signature = bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(proof.judge?.(signature)).toBeUndefined();
    expect(proof.judge?.(signature)).toBeDefined();
  });

  it('escapes what a user name may hold', async () => {
    expect((await begun('a=b,c')).first).toBe('n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO');
  });

  it.each([
    ['too few iterations', 'r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095'],
    ['more iterations than a device should bear', 'r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001'],
    ['another nonce', 'r=ECNONx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['nothing added to the nonce', 'r=NONCE,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['a short salt', 'r=NONCEx,s=AAAA,i=4096'],
    ['an extension that must be understood', 'm=x,r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['no number', 'r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=04096'],
    ['an error', 'e=other-error'],
    ['nothing', ''],
    ['too much', `r=NONCE${'x'.repeat(3000)},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
  ])('is not given to a server that sends %s', async (_, challenge) => {
    const { proof } = await begun('user', 'pencil', 'NONCE');
    await expect(proof.answer?.(bytes(challenge))).rejects.toMatchObject({ code: 'server_not_proven' });
  });

  it('is given once in an exchange', async () => {
    const { proof } = await begun('user', 'pencil', 'NONCE');
    const challenge = bytes('r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096');
    await proof.answer?.(challenge);
    await expect(proof.answer?.(challenge)).rejects.toMatchObject({ code: 'server_not_proven' });
  });

  it('has a nonce of its own each time', async () => {
    const proof = scramProof('SCRAM-SHA-512', 'user', 'pencil');
    expect(text((await proof.begin(signal)).data)).not.toBe(text((await proof.begin(signal)).data));
  });

  it.each([
    ['üser', 'pencil'],
    ['user', 'pencıl'],
    ['', 'pencil'],
  ])('is not made for characters that clients prepare in different ways: %s, %s', (username, password) => {
    expect(() => scramProof('SCRAM-SHA-256', username, password)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }) as Error,
    );
  });
});
