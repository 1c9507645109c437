import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateAuthority, createIntermediateAuthority } from '@sallyport/trust';
import { expect } from 'vitest';
import { identity, LABORATORY, type Login, policy, RawClient, type VERSIONS } from '../attacks/raw-client.ts';
import { issuedPair, ownAuthority, type Pair, pairOf } from '../certificate-clients.ts';
import { foreignPublisher, serialOf } from '../foreign-publisher.ts';
import { ask } from '../oauth-client.ts';
import type { TestServer } from '../server.ts';
import { type Claims, TokenIssuer } from '../token-issuer.ts';

type Version = (typeof VERSIONS)[number];
type Proof = { readonly password: string; readonly username?: string } | { readonly pair: Pair };

/** Somebody of organisation `demo`, and how he comes in. */
export interface Client {
  readonly clientId: string;
  /** Before the rest of a topic of his own. */
  readonly short: string;
  readonly full: string;
  open(version: Version, more?: Login): Promise<RawClient>;
}

/** Who loses what he stands on, and who must not: whoever shares the most with him. */
export interface Scene {
  readonly subject: Client;
  readonly nearest: Client;
  readonly end: () => Promise<unknown>;
  readonly close?: () => Promise<void>;
}

/** What holds for a session that is kept while its client is away: it ends too, or is judged when the client comes back. */
type WhileAway = 'ends' | 'is judged when it comes back';

export interface Cause {
  readonly name: string;
  readonly whileAway: WhileAway;
  readonly scene: (server: TestServer) => Promise<Scene>;
}

/** What the server of the table is started with. */
export const SETTINGS = {
  'listeners.mqttPlain.allowPlaintextListener': true,
  'revocation.allowedHosts': ['127.0.0.1'],
  'authorizationServer.organisations': ['demo'],
} as const;

const by = 'system';
const organisation = 'demo';
/** Of this machine, as all of 127.0.0.0/8 are; whoever else the test plays comes from another one. */
const ADDRESS = '127.0.0.77';
const AUDIENCE = 'mqtt.test';
const SECRET = 'causes.secret';
const pump = { organisation, type: 'pump', id: 'pump-7', by };

/** A device or gateway of the test server by its token on the plain listener, or by a certificate over TLS. */
function thing(server: TestServer, id: string, proof?: Proof, localAddress = ADDRESS): Client {
  const { clientId } = identity(server, id);
  const type = id.startsWith('hub') ? 'hub' : 'pump';
  return {
    clientId,
    short: 'iot-2/',
    full: `iot-2/type/${type}/id/${id}/`,
    open: (version, more = {}) => opened(server, version, { ...identity(server, id), ...more }, proof, localAddress),
  };
}

/** An application that speaks for pump-7. */
function program(server: TestServer, id: string, proof?: Proof, clientId = `a:demo:${id}`): Client {
  const full = 'iot-2/type/pump/id/pump-7/';
  return {
    clientId,
    short: full,
    full,
    open: (version, more = {}) =>
      opened(server, version, { ...identity(server, id), clientId, ...more }, proof, ADDRESS),
  };
}

async function opened(server: TestServer, version: Version, login: Login, proof: Proof | undefined, address: string) {
  const { username, password, ...rest } = login;
  if (proof !== undefined && 'pair' in proof) {
    const client = await RawClient.dial(server, version, false, { localAddress: address, pair: proof.pair });
    expect((await client.connect({ keepAlive: 0, ...rest })).reasonCode).toBe(0);
    return client;
  }
  const client = await RawClient.dial(server, version, true, { localAddress: address });
  const secret =
    proof === undefined
      ? { username, password }
      : { username: proof.username ?? 'use-access-token', password: Buffer.from(proof.password) };
  expect((await client.connect({ keepAlive: 0, ...rest, ...(secret as Login) })).reasonCode).toBe(0);
  return client;
}

async function withCertificates(server: TestServer, pair: Pair, another: Pair, end: Scene['end']): Promise<Scene> {
  await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-or-token' });
  const [subject, nearest] = [thing(server, 'pump-7', { pair }), thing(server, 'pump-8', { pair: another })];
  return { subject, nearest, end };
}

/** An authority of the organisation's own, and certificates of it for pump-7 and pump-8. */
async function plantOf(server: TestServer, settings: object = {}, authority?: CertificateAuthority, more: object = {}) {
  const plant = authority ?? (await ownAuthority());
  const { id } = await server.api.authorities.add(organisation, plant.pem, settings);
  const [pair, another] = await Promise.all(['pump-7', 'pump-8'].map((name) => pairOf(plant, `d:pump:${name}`, more)));
  return { id, plant, pair: pair as Pair, another: another as Pair };
}

/** The authorization server of somebody else, which is asked about every token; its answers count for a second. */
async function enterprise(server: TestServer, tokens: 'opaque' | 'signed'): Promise<Scene> {
  const issuer = await TokenIssuer.open();
  const secrets = join(server.directory, 'secrets');
  mkdirSync(secrets, { mode: 0o700, recursive: true });
  writeFileSync(join(secrets, SECRET), 'whatever', { mode: 0o600 });
  await server.api.issuers.add(organisation, {
    id: 'plant',
    issuer: issuer.url,
    audience: AUDIENCE,
    tokens,
    principal: 'device:{sub}',
    introspection: { url: `${issuer.url}/introspect`, clientId: 'sallyport', secretFile: SECRET, cache: 1 },
    ...(tokens === 'signed' ? { jwksUrl: `${issuer.url}/jwks` } : {}),
  });
  const issued = (id: string): string => {
    const claims: Claims = { sub: `pump/${id}` };
    if (tokens === 'opaque') return issuer.opaque(claims);
    const signed = issuer.sign(claims);
    issuer.tokens.set(signed, issuer.claims(claims));
    return signed;
  };
  const token = issued('pump-7');
  return {
    subject: thing(server, 'pump-7', { password: token }),
    nearest: thing(server, 'pump-8', { password: issued('pump-8') }),
    end: async () => issuer.revoke(token),
    close: () => issuer.close(),
  };
}

/** Two applications on tokens of the embedded authorization server. */
async function embedded(server: TestServer, end: (token: string) => Promise<unknown>): Promise<Scene> {
  const issued = async (id: string): Promise<string> => {
    const basic = [id, server.tokens[id] ?? ''] as const;
    const { json } = await ask(server, '/oauth/demo/token', { form: { grant_type: 'client_credentials' }, basic });
    return String(json.access_token);
  };
  const token = await issued('lab');
  return {
    subject: program(server, 'lab', { password: token }),
    nearest: program(server, 'tap', { password: await issued('tap') }),
    end: () => end(token),
  };
}

async function provoked(server: TestServer): Promise<string> {
  const probing = await RawClient.open(server, 'pump-7');
  for (let count = 0; count < 6; count++) await probing.subscribe(`iot-2/type/pump/id/pump-8/evt/e${count}/fmt/json`);
  await probing.vanish();
  await expect.poll(async () => (await server.api.incidents.list()).items.length, { timeout: 20_000 }).toBe(1);
  return (await server.api.incidents.list()).items[0]?.id ?? '';
}

/** By their tokens, with what ends pump-7. */
const byToken =
  (end: (server: TestServer) => Promise<unknown>, prepare?: (server: TestServer) => Promise<unknown>) =>
  async (server: TestServer): Promise<Scene> => {
    await prepare?.(server);
    return { subject: thing(server, 'pump-7'), nearest: thing(server, 'pump-8'), end: () => end(server) };
  };

const ends = (name: string, scene: Cause['scene']): Cause => ({ name, whileAway: 'ends', scene });
const judgedLater = (name: string, scene: Cause['scene']): Cause => ({
  name,
  whileAway: 'is judged when it comes back',
  scene,
});

/** Everything that ends the rights of somebody who is connected. */
export const CAUSES: readonly Cause[] = [
  ends('its certificate is revoked', async (server) => {
    const { id, ...pair } = await issuedPair(server, 'device:demo/pump/pump-7');
    const another = await issuedPair(server, 'device:demo/pump/pump-8');
    return withCertificates(server, pair, another, () => server.api.certificates.revoke(organisation, id));
  }),
  ends('its pinned certificate is revoked', async (server) => {
    const plant = await ownAuthority();
    const pinned = async (id: string) => {
      const pair = await pairOf(plant, 'whoever');
      const principal = `device:demo/pump/${id}`;
      return { pair, ...(await server.api.certificates.pin(organisation, { principal, certificate: pair.cert })) };
    };
    const { pair, id } = await pinned('pump-7');
    const another = await pinned('pump-8');
    return withCertificates(server, pair, another.pair, () => server.api.certificates.revoke(organisation, id));
  }),
  ends('the authority of its certificate is removed', async (server) => {
    const [{ id, pair }, { another }] = [await plantOf(server), await plantOf(server)];
    return withCertificates(server, pair, another, () => server.api.authorities.remove(organisation, id));
  }),
  ends('an authority between its certificate and the trusted one is revoked', async (server) => {
    const { plant, another } = await plantOf(server);
    const below = { commonName: 'Line 1', now: Date.now(), validity: 86_400_000 };
    const line = await createIntermediateAuthority({ authority: plant, ...below });
    const pair = await pairOf(line, 'd:pump:pump-7');
    return withCertificates(server, pair, another, () =>
      server.api.certificates.revokeForeign(organisation, { certificate: line.pem }),
    );
  }),
  ends('its certificate is revoked by serial, as one of a trusted authority', async (server) => {
    const { id, pair, another } = await plantOf(server);
    const serial = new X509Certificate(pair.cert).serialNumber.toLowerCase();
    return withCertificates(server, pair, another, () =>
      server.api.certificates.revokeForeign(organisation, { authority: id, serial }),
    );
  }),
  ...(['crl', 'ocsp'] as const).map((mode) =>
    ends(
      `its certificate is revoked by its own authority, says its ${mode === 'crl' ? 'list' : 'responder'}`,
      async (server) => {
        const plant = await ownAuthority();
        const publisher = await foreignPublisher(plant);
        const { publishedAt } = publisher;
        const { id, pair, another } = await plantOf(server, { mode }, plant, { publishedAt });
        const scene = await withCertificates(server, pair, another, async () => {
          publisher.revoked.add(await serialOf(pair));
          await server.api.authorities.fetchNews(organisation, id);
        });
        return { ...scene, close: () => publisher.close() };
      },
    ),
  ),
  ends(
    'the policy takes its client id',
    byToken((server) => {
      const denied = {
        effect: 'deny',
        principals: ['device:demo/pump/pump-7'],
        actions: ['connect'],
        resources: ['*'],
      };
      return server.server.registry.policies.put({ organisation, text: policy(denied), by });
    }),
  ),
  ends(
    'its token is revoked',
    byToken(async ({ server: { registry } }) => {
      for (const { id } of await registry.credentials.list('device:demo/pump/pump-7'))
        await registry.credentials.revoke({ id, by });
    }),
  ),
  ends(
    'one of two tokens of its application is revoked, and the other session stands on the other one',
    async (server) => {
      const { registry } = server.server;
      await registry.policies.put({ organisation, text: LABORATORY, by });
      const [first] = await registry.credentials.list('application:demo/lab');
      const { token } = await registry.credentials.createToken({ principal: 'application:demo/lab', by });
      const username = server.keys.lab ?? '';
      return {
        subject: program(server, 'lab', undefined, 'lab-1'),
        nearest: program(server, 'lab', { password: token, username }, 'lab-2'),
        end: () => registry.credentials.revoke({ id: first?.id ?? '', by }),
      };
    },
  ),
  ends('its access token is revoked at a foreign authorization server (opaque)', (server) =>
    enterprise(server, 'opaque'),
  ),
  ends('its access token is revoked at a foreign authorization server (signed)', (server) =>
    enterprise(server, 'signed'),
  ),
  ends('its access token is given back to the embedded authorization server', (server) =>
    embedded(server, (token) =>
      ask(server, '/oauth/demo/token/revocation', { form: { token }, basic: ['lab', server.tokens.lab ?? ''] }),
    ),
  ),
  ends('an operator revokes all access tokens of its principal', (server) =>
    embedded(server, () => server.api.oauth.revokeToken(organisation, { principal: 'application:demo/lab' })),
  ),
  ends('the issuer of its access token is removed', async (server) => {
    const scene = await enterprise(server, 'opaque');
    return { ...scene, nearest: thing(server, 'pump-8'), end: () => server.api.issuers.remove(organisation, 'plant') };
  }),
  ends(
    'it is suspended',
    byToken(({ server }) => server.registry.devices.suspend(pump)),
  ),
  ends(
    'it is removed',
    byToken(({ server }) => server.registry.devices.remove(pump)),
  ),
  ends('the role of its application is changed', async (server) => ({
    subject: program(server, 'lab'),
    nearest: program(server, 'tap'),
    end: () => server.api.applications.update({ organisation, id: 'lab' }, { role: 'visualization' }),
  })),
  ends('its application loses the role that it had', async (server) => {
    for (const id of ['lab', 'tap'])
      await server.api.applications.update({ organisation, id }, { role: 'backend-trusted' });
    return {
      subject: program(server, 'lab'),
      nearest: program(server, 'tap'),
      end: () => server.api.applications.update({ organisation, id: 'lab' }, { role: 'standard' }),
    };
  }),
  ends('the role of its gateway is changed', async (server) => ({
    subject: thing(server, 'hub-1'),
    nearest: thing(server, 'pump-8'),
    end: () => server.api.devices.update({ organisation, type: 'hub', id: 'hub-1' }, { gatewayRole: 'standard' }),
  })),
  judgedLater('the connection security of its type is raised', async (server) => {
    const { id: _, ...another } = await issuedPair(server, 'device:demo/pump/pump-8');
    await server.api.organisations.update(organisation, { security: 'tls-optional' });
    return {
      subject: thing(server, 'pump-7'),
      nearest: thing(server, 'pump-8', { pair: another }),
      end: () => server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' }),
    };
  }),
  judgedLater('its address is put on the black list of the organisation', async (server) => {
    await server.api.lists.use(organisation, { active: 'black' });
    return {
      subject: thing(server, 'pump-7'),
      nearest: thing(server, 'pump-8', undefined, '127.0.0.78'),
      end: () => server.api.lists.add(organisation, 'black', { entries: [{ entry: ADDRESS }] }),
    };
  }),
  judgedLater('a white list without its address is turned on for the whole server', async (server) => {
    await server.api.lists.add(undefined, 'white', { entries: [{ entry: '127.0.0.1' }, { entry: '::1' }] });
    return {
      subject: thing(server, 'pump-7'),
      nearest: thing(server, 'pump-8', undefined, '127.0.0.1'),
      end: () => server.api.lists.use(undefined, { active: 'white' }),
    };
  }),
  ends('an incident has it suspended', async (server) => {
    const incident = await provoked(server);
    return byToken(() => server.api.incidents.contain(incident, 'suspend'))(server);
  }),
  ends('an incident has it de-registered', async (server) => {
    const incident = await provoked(server);
    return byToken(() => server.api.incidents.contain(incident, 'deregister'))(server);
  }),
];
