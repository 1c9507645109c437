import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  makeScramVerifier,
  readScramVerifier,
  SCRAM_HASHES,
  scramProofFits,
  scramServerSignature,
  scramVerifiers,
} from '../src/scram.ts';

/** RFC 7677 section 3. */
const VECTOR = {
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  iterations: 4096,
  authMessage:
    'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  proof: Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64'),
  signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

describe('the verifier of a password', () => {
  it('takes the proof of RFC 7677 and gives its signature', async () => {
    const verifier = await makeScramVerifier('SHA-256', 'pencil', VECTOR);
    expect(scramProofFits(verifier, VECTOR.authMessage, VECTOR.proof)).toBe(true);
    expect(scramServerSignature(verifier, VECTOR.authMessage).toString('base64')).toBe(VECTOR.signature);
  });

  it('takes no other proof, of no other length, and none for another message or password', async () => {
    const verifier = await makeScramVerifier('SHA-256', 'pencil', VECTOR);
    const { authMessage, proof } = VECTOR;
    for (let at = 0; at < proof.length; at++) {
      const other = Buffer.from(proof);
      other[at] = other[at]! ^ 1;
      expect(scramProofFits(verifier, authMessage, other)).toBe(false);
    }
    for (const other of [
      Buffer.alloc(0),
      proof.subarray(0, 31),
      Buffer.concat([proof, Buffer.alloc(1)]),
      Buffer.alloc(32),
    ]) {
      expect(scramProofFits(verifier, authMessage, other)).toBe(false);
    }
    expect(scramProofFits(verifier, `${authMessage} `, proof)).toBe(false);
    const wrong = await makeScramVerifier('SHA-256', 'Pencil', VECTOR);
    expect(scramProofFits(wrong, authMessage, proof)).toBe(false);
  });

  it('does not let who has stolen it log in: the stored key is no client key', async () => {
    const verifier = await makeScramVerifier('SHA-256', 'pencil', VECTOR);
    const signature = createHmac('sha256', verifier.storedKey).update(VECTOR.authMessage).digest();
    const proof = Buffer.from(verifier.storedKey.map((byte, at) => byte ^ signature[at]!));
    expect(scramProofFits(verifier, VECTOR.authMessage, proof)).toBe(false);
  });

  it.each(SCRAM_HASHES)('is written for %s and read again, with a salt of its own each time', async (hash) => {
    const one = await scramVerifiers('correct horse');
    const two = await scramVerifiers('correct horse');
    expect(one).not.toContain('correct horse');
    const [a, b] = [readScramVerifier(one, hash)!, readScramVerifier(two, hash)!];
    expect(a.salt.equals(b.salt)).toBe(false);
    expect(a.iterations).toBeGreaterThanOrEqual(4096);
    const again = await makeScramVerifier(hash, 'correct horse', { salt: a.salt, iterations: a.iterations });
    expect(again).toEqual(a);
  });

  it('is not read from what is damaged, or would cost too much', () => {
    const good = `SCRAM-SHA-256$4096:${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(32).toString('base64')}:${Buffer.alloc(32).toString('base64')}`;
    expect(readScramVerifier(good, 'SHA-256')).toBeDefined();
    for (const text of [
      '',
      good.replace('4096', '0'),
      good.replace('4096', '99999999'),
      good.slice(0, -4),
      good.replace('256$', '1$'),
    ]) {
      expect(readScramVerifier(text, 'SHA-256'), text).toBeUndefined();
    }
    expect(readScramVerifier(good, 'SHA-512')).toBeUndefined();
  });
});
