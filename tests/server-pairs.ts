import { connect, type TLSSocket } from 'node:tls';
import {
  type CertificateAuthority,
  createIntermediateAuthority,
  createRootAuthority,
  generateKeyPair,
  issueServerCertificate,
  keyPairToPem,
} from '@sallyport/trust';

const HOUR = 3_600_000;

/** The authority of a company that certifies its own servers: a root that clients have, and an authority below it. */
export interface Company {
  readonly root: CertificateAuthority;
  readonly issuer: CertificateAuthority;
}

export async function company(now = Date.now()): Promise<Company> {
  const root = await createRootAuthority({ commonName: 'Company root', now, validity: 300 * 24 * HOUR });
  const issuer = await createIntermediateAuthority({
    authority: root,
    commonName: 'Company servers',
    now,
    validity: 200 * 24 * HOUR,
  });
  return { root, issuer };
}

/** A server certificate of the company, with its key; `chain` has the authority behind it. */
export async function serverPair(
  { issuer }: Company,
  dnsNames: readonly string[],
  { now = Date.now(), ipAddresses = [] }: { readonly now?: number; readonly ipAddresses?: readonly string[] } = {},
): Promise<{ readonly chain: string; readonly key: string }> {
  const keys = await generateKeyPair();
  const issued = await issueServerCertificate({
    authority: issuer,
    publicKey: keys.publicKey,
    dnsNames,
    ipAddresses,
    now,
  });
  return { chain: issued.chainPem, key: await keyPairToPem(keys) };
}

/** What a client sees in a handshake: the issuer of the certificate that it was shown, and whether it found it good. */
export interface Shown {
  readonly issuer: string;
  readonly good: boolean;
  readonly resumed: boolean;
  readonly session: Buffer | undefined;
}

/** Makes a handshake, waits for a ticket where one is to come, and leaves. */
export async function shownAt(
  port: number,
  options: {
    readonly serverName?: string;
    readonly ca: string;
    readonly session?: Buffer;
    readonly version?: 'TLSv1.2' | 'TLSv1.3';
  },
): Promise<Shown> {
  const { serverName, ca, session, version = 'TLSv1.3' } = options;
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    ca,
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(session === undefined ? {} : { session }),
  });
  let ticket: Buffer | undefined;
  const gotTicket = new Promise<void>((resolve) =>
    socket.once('session', (bytes: Buffer) => {
      ticket = bytes;
      resolve();
    }),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    // A resumed session of TLS 1.2 may go on with the ticket that it has.
    if (!(version === 'TLSv1.2' && socket.isSessionReused())) await gotTicket;
    const { issuer } = socket.getPeerCertificate();
    return {
      issuer: String(issuer?.CN ?? ''),
      good: socket.authorized,
      resumed: socket.isSessionReused(),
      session: ticket,
    };
  } finally {
    socket.destroy();
  }
}
