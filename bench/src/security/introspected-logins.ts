import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Identity } from '../identity.ts';
import { SALLYPORT_ORGANISATION } from '../peers/sallyport.ts';
import { principalOf, type SallyportPeer } from './peers.ts';

const SECRET_FILE = 'bench.secret';
const LIFE = 86_400;

/** Clients with opaque tokens, of which Sallyport asks their authorization server, which is a part of the generator. */
export interface IntrospectedLogins {
  /** Each shows one token over and over: the answer is remembered. */
  readonly warm: readonly Identity[];
  /** Each shows a new token every time: every login is a question over TLS, on a connection that is kept or made anew as the server likes. */
  readonly cold: readonly Identity[];
  /** Questions so far. */
  asked(): number;
  close(): Promise<void>;
}

/** Opens an authorization server that vouches for every token of the form INDEX.ANYTHING, at once. */
export async function withIntrospection(peer: SallyportPeer, folder: string): Promise<IntrospectedLogins> {
  const data = join(folder, 'data');
  const secrets = join(data, 'secrets');
  mkdirSync(secrets, { mode: 0o700, recursive: true });
  writeFileSync(join(secrets, SECRET_FILE), randomBytes(24).toString('hex'), { mode: 0o600 });
  let count = 0;
  const subjects = peer.byToken.map((identity) => principalOf(identity).replace(`:${SALLYPORT_ORGANISATION}/`, ':'));
  const server = createServer(
    // Its own certificate is good for localhost, and trusted by the server that asks.
    { key: readFileSync(join(data, 'pki', 'server-key.pem')), cert: readFileSync(join(data, 'pki', 'server.pem')) },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        count += 1;
        const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('token') ?? '';
        const now = Math.floor(Date.now() / 1000);
        const about = { sub: subjects[Number.parseInt(token, 10)], aud: 'bench', iat: now, exp: now + LIFE };
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ active: true, ...about }));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  await peer.api.issuers.add(SALLYPORT_ORGANISATION, {
    id: 'opaque',
    issuer: url,
    audience: 'bench',
    tokens: 'opaque',
    principal: '{sub}',
    grants: 'optional',
    introspection: { url: `${url}/introspect`, clientId: 'bench', secretFile: SECRET_FILE, cache: 300 },
  });
  const login = (identity: Identity) => ({ ...identity, username: 'use-access-token' });
  const tokenOf = (index: number) => `${index}.${randomBytes(24).toString('base64url')}`;
  return {
    warm: peer.byToken.map((identity, index) => ({ ...login(identity), password: tokenOf(index) })),
    cold: peer.byToken.map((identity, index) => {
      const { password: _, ...rest } = login(identity);
      return Object.defineProperty(rest, 'password', { enumerable: true, get: () => tokenOf(index) }) as Identity;
    }),
    asked: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
