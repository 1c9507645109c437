import { createPublicKey, type KeyObject } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { isSmallOrder } from '@sallyport/trust';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import type { ClientKey } from '../registry/records.ts';

const ALGORITHMS: Readonly<Record<string, string>> = { 'P-256': 'ES256', Ed25519: 'EdDSA' };

/**
 * Reads a public key in PEM that an application wants to prove itself with: P-256 or Ed25519. Its name is its thumbprint (RFC 7638).
 * Throws `invalid_request`, also for a private key, which nobody should be sent.
 */
export async function readClientKey(pem: string): Promise<ClientKey['jwk']> {
  if (pem.includes('PRIVATE KEY-----')) {
    throw new Failure('invalid_request', 'This is a private key, which nobody should be sent.', {
      cure: 'Send the public key: openssl pkey -in key.pem -pubout. The private key that you sent should not be used any more.',
    });
  }
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new Failure('invalid_request', 'There is no public key in the text that was sent.', {
      cause,
      cure: 'Send it in PEM: openssl pkey -in key.pem -pubout.',
    });
  }
  const jwk = await exportJWK(key);
  const alg = ALGORITHMS[jwk.crv ?? ''];
  if (alg === undefined) {
    throw new Failure('invalid_request', `A key of the type ${jwk.crv ?? jwk.kty} is not taken.`, {
      cure: 'Make one of P-256 or Ed25519: openssl genpkey -algorithm ed25519 -out key.pem.',
    });
  }
  const { kty, crv, x, y } = jwk;
  if (alg === 'EdDSA' && isSmallOrder(Buffer.from(x ?? '', 'base64url'))) {
    throw new Failure('invalid_request', 'Anybody can sign for this key: it is a point of small order.', {
      cure: 'Make one by openssl genpkey -algorithm ed25519 -out key.pem.',
    });
  }
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, alg, kty: kty ?? '', crv: crv ?? '', x: x ?? '', ...(y === undefined ? {} : { y }) };
}
