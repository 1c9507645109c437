import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { SocketAddresses } from './socket-address.ts';

/** What a finished handshake has shown. */
export function tlsFacts(
  socket: TLSSocket,
  addresses: SocketAddresses,
  { listener, transport }: { readonly listener: string; readonly transport: 'tls' | 'wss' },
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
    ...peerCertificate(socket),
  };
}

function peerCertificate(socket: TLSSocket): Pick<TransportFacts, 'certificate' | 'certificateChain' | 'resumed'> {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return {};
  return {
    certificate: certificate.raw,
    certificateChain: issuersOf(certificate),
    resumed: socket.isSessionReused(),
  };
}

/** One more than are looked at, so that too many are seen to be too many. */
const ISSUERS_MAXIMUM = 10;

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
