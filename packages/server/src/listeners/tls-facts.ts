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
): Pick<TransportFacts, 'certificate' | 'certificateTrusted' | 'certificateProblem'> {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { certificateTrusted: false };
  const problem = socket.authorized ? outlived(socket, certificate.validTo, now) : String(socket.authorizationError);
  return {
    certificate: certificate.raw,
    certificateTrusted: problem === undefined,
    ...(problem === undefined ? {} : { certificateProblem: problem }),
  };
}

/** A resumed session carries the verdict of its first handshake; the certificate may have ended since. */
function outlived(socket: TLSSocket, validTo: string, now: () => number): string | undefined {
  return socket.isSessionReused() && Date.parse(validTo) < now() ? 'CERT_HAS_EXPIRED' : undefined;
}
