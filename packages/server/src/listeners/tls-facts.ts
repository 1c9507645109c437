import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { SocketAddresses } from './socket-address.ts';

/** What a finished handshake has shown. */
export function tlsFacts(
  socket: TLSSocket,
  addresses: SocketAddresses,
  {
    listener,
    transport,
    now,
  }: { readonly listener: string; readonly transport: 'tls' | 'wss'; readonly now: () => number },
): TransportFacts {
  const tlsVersion = socket.getProtocol();
  const { servername } = socket as { servername?: string | false | null };
  return {
    listener,
    transport,
    secure: true,
    ...addresses,
    ...(tlsVersion ? { tlsVersion } : {}),
    cipher: socket.getCipher().standardName,
    ...(servername ? { serverName: servername.toLowerCase() } : {}),
    ...peerCertificate(socket, now),
  };
}

function peerCertificate(
  socket: TLSSocket,
  now: () => number,
): Pick<TransportFacts, 'certificate' | 'certificateChain' | 'resumed' | 'certificateTrusted' | 'certificateProblem'> {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { certificateTrusted: false };
  const problem = socket.authorized ? outlived(socket, certificate.validTo, now) : String(socket.authorizationError);
  return {
    certificate: certificate.raw,
    certificateChain: issuersOf(certificate),
    resumed: socket.isSessionReused(),
    certificateTrusted: problem === undefined,
    ...(problem === undefined ? {} : { certificateProblem: problem }),
  };
}

const ISSUERS_MAXIMUM = 9;

/** What the peer sent with its certificate, in the order sent; OpenSSL links each to the next without a check. */
function issuersOf(certificate: X509Certificate): Uint8Array[] {
  const issuers: Uint8Array[] = [];
  let next = certificate.issuerCertificate;
  while (next && issuers.length < ISSUERS_MAXIMUM) {
    issuers.push(next.raw);
    next = next.issuerCertificate;
  }
  return issuers;
}

/** A resumed session carries the verdict of its first handshake; the certificate may have ended since. */
function outlived(socket: TLSSocket, validTo: string, now: () => number): string | undefined {
  return socket.isSessionReused() && Date.parse(validTo) < now() ? 'CERT_HAS_EXPIRED' : undefined;
}
