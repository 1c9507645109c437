import type { TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  type CertificateAuthority,
  createCertificateRequest,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  keyPairToPem,
  type PublishedAt,
} from '@sallyport/trust';
import { type IClientOptions, MqttClient } from 'mqtt';
import type { TestServer } from './server.ts';

const HOUR = 3_600_000;

/** What a client presents in its handshake, in PEM. */
export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** An authority of a customer, with its certificate in PEM. */
export function ownAuthority(commonName = 'Plant root', now = Date.now()): Promise<CertificateAuthority> {
  return createRootAuthority({ commonName, now, validity: 24 * HOUR });
}

/** A client certificate of an authority. `now` moves its dates, `chain` leaves the authorities out. */
export async function pairOf(
  authority: CertificateAuthority,
  commonName: string,
  more: {
    readonly emails?: readonly string[];
    readonly uris?: readonly string[];
    readonly now?: number;
    readonly publishedAt?: PublishedAt;
  } = {},
): Promise<Pair> {
  const keys = await generateKeyPair();
  const { now = Date.now(), ...names } = more;
  const issued = await issueClientCertificate({
    authority,
    publicKey: keys.publicKey,
    commonName,
    now,
    validity: HOUR,
    ...names,
  });
  return { key: await keyPairToPem(keys), cert: issued.chainPem };
}

/** A certificate of the server's own authority. */
export async function issuedPair(server: TestServer, principal: string): Promise<Pair & { readonly id: string }> {
  const keys = await generateKeyPair();
  const csr = await createCertificateRequest({ keys, commonName: 'whoever' });
  const [, organisation = ''] = /^[a-z]+:([^/]+)\//.exec(principal) ?? [];
  const { certificate, chainPem } = await server.api.certificates.issue(organisation, { principal, csr });
  return { key: await keyPairToPem(keys), cert: chainPem, id: certificate.id };
}

export interface Knock extends Partial<Pair> {
  readonly clientId: string;
  readonly token?: string;
  readonly username?: string;
  /** Server name of the handshake; `localhost`, which selects no organisation, if left out. */
  readonly serverName?: string;
  readonly session?: Buffer;
  readonly tls?: ConnectionOptions & Pick<TcpNetConnectOpts, 'localAddress'>;
  readonly mqtt?: IClientOptions;
}

/** What a client saw: the code of CONNACK, or `closed` if there was none. */
export interface Knocked {
  readonly code: number | 'closed';
  readonly client: MqttClient;
  readonly resumed: boolean;
  /** The last ticket that the server gave. */
  session(): Buffer | undefined;
  /** Resolves when the server has ended the connection. */
  readonly gone: Promise<unknown>;
}

/** Connects with a real client over TLS, and waits for the answer. */
export async function knock(server: TestServer, given: Knock): Promise<Knocked> {
  const { clientId, token, serverName = 'localhost', key, cert, session } = given;
  let ticket: Buffer | undefined;
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.port,
    ca: server.rootPem,
    servername: serverName,
    checkServerIdentity: () => undefined,
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
    ...(session === undefined ? {} : { session }),
    ...given.tls,
  });
  socket.on('session', (bytes: Buffer) => {
    ticket = bytes;
  });
  // Not `once`, which rejects when an error comes before: where the server ends a handshake that is expected.
  const gone = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  const username = given.username ?? (token === undefined ? undefined : 'use-token-auth');
  const client = new MqttClient(() => socket, {
    clientId,
    reconnectPeriod: 0,
    protocolVersion: 4,
    ...(username === undefined ? {} : { username }),
    ...(token === undefined ? {} : { password: token }),
    ...given.mqtt,
  });
  const code = await new Promise<number | 'closed'>((resolve) => {
    client.on('connect', () => resolve(0));
    client.on('error', (error) => {
      const { code } = error as { readonly code?: unknown };
      if (typeof code === 'number') resolve(code);
    });
    client.on('close', () => resolve('closed'));
  });
  return { code, client, resumed: socket.isSessionReused(), session: () => ticket, gone };
}

/** Connects, leaves, and answers the code together with the reason that the server has on record for a refusal. */
export async function reasonOf(server: TestServer, given: Knock): Promise<string> {
  const { code, client } = await knock(server, given);
  await client.endAsync(true);
  if (code === 0) return 'admitted';
  // Equal refusals share a ticket, which keeps its place in the list.
  const { items } = await server.api.refusals({ limit: 500 });
  const [last] = [...items].sort((a, b) => b.lastAt.localeCompare(a.lastAt));
  return last?.reason ?? `code ${code}`;
}
