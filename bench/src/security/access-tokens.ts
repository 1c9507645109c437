import { generateKeyPairSync, sign } from 'node:crypto';
import type { Identity } from '../identity.ts';
import { SALLYPORT_ORGANISATION } from '../peers/sallyport.ts';
import { principalOf, type SallyportPeer } from './peers.ts';

export type BenchAlgorithm = 'ES256' | 'EdDSA';

const LIFE = 86_400;

/** The clients of a peer with an access token each, of an issuer whose key the peer is given: no key is fetched, each login verifies a signature. */
export async function withAccessTokens(peer: SallyportPeer, alg: BenchAlgorithm): Promise<readonly Identity[]> {
  const { privateKey, publicKey } =
    alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = `https://${alg.toLowerCase()}.bench.example`;
  await peer.api.issuers.add(SALLYPORT_ORGANISATION, {
    id: alg,
    issuer,
    audience: 'bench',
    keys: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    principal: '{sub}',
    grants: 'optional',
  });
  const now = Math.floor(Date.now() / 1000);
  const header = encoded({ alg, typ: 'at+jwt' });
  return peer.byToken.map((identity) => {
    const sub = principalOf(identity);
    const claims = {
      iss: issuer,
      aud: 'bench',
      sub,
      client_id: sub,
      iat: now,
      exp: now + LIFE,
      jti: `${identity.index}`,
    };
    const input = `${header}.${encoded(claims)}`;
    const key = alg === 'EdDSA' ? privateKey : ({ key: privateKey, dsaEncoding: 'ieee-p1363' } as const);
    const signature = sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), key).toString('base64url');
    return { ...identity, username: 'use-access-token', password: `${input}.${signature}` };
  });
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
