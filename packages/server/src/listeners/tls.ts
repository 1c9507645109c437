import { createServer, type TLSSocket } from 'node:tls';
import type { TransportFacts } from '../events/transport-facts.ts';
import { guardHandshakes } from './guard-handshakes.ts';
import { listen, stopListening } from './listen.ts';
import type { TlsListener, TlsListenerOptions } from './listener-options.ts';
import { namedContexts } from './named-contexts.ts';
import { secureContextOptions, tlsServerOptions } from './secure-settings.ts';
import { renewTickets } from './session-tickets.ts';
import { socketAddresses } from './socket-address.ts';
import { SocketStream } from './socket-stream.ts';
import { tlsFacts } from './tls-facts.ts';

/** Nothing is read while the certificate is judged; a judgement that breaks off is a refusal. */
async function admitOrEnd(
  { name, admitCertificate, accept, onHandshakeFailure }: TlsListenerOptions,
  socket: TLSSocket,
  facts: TransportFacts,
): Promise<void> {
  const stream = new SocketStream(socket);
  const answer = await admitCertificate?.(facts).catch(() => UNJUDGED);
  if (!answer) {
    accept(stream, facts);
    return;
  }
  socket.destroy();
  const { remoteAddress, remotePort, tlsVersion, serverName } = facts;
  onHandshakeFailure({
    listener: name,
    remoteAddress,
    remotePort,
    ...answer,
    ...(tlsVersion === undefined ? {} : { tlsVersion }),
    ...(serverName === undefined ? {} : { serverName }),
  });
}

const UNJUDGED = {
  problem: 'certificate_invalid',
  detail: 'The client certificate could not be judged, because something that this needs is broken.',
} as const;

/** Opens a port for MQTT over TLS 1.2 and 1.3. A connection is handed over when its handshake is done. */
export async function listenTls(options: TlsListenerOptions): Promise<TlsListener> {
  const { name, address, port, portSetting = '--mqtt-port', accept } = options;
  const { credentials, minimumTlsVersion = 'TLSv1.2', requestCertificate = false, handshakeTimeout = 10_000 } = options;
  const named = namedContexts(minimumTlsVersion, credentials);
  const server = createServer({
    // The gate keeps the deadline, which begins with the connection; the server's own is the second line.
    ...tlsServerOptions({ credentials, minimumTlsVersion, requestCertificate, handshakeTimeout: 2 * handshakeTimeout }),
    SNICallback: named.SNICallback,
  });
  const gate = guardHandshakes(server, options);
  named.use(credentials, renewTickets(server));

  server.on('secureConnection', (socket: TLSSocket) => {
    const addresses = socketAddresses(socket);
    if (!addresses) {
      socket.destroy();
      return;
    }
    // A TLS 1.2 client could otherwise make the server compute handshakes without end [RFC 9325 section 3.5].
    socket.disableRenegotiation();
    const facts = tlsFacts(socket, addresses, { listener: name, transport: 'tls' });
    if (!options.admitCertificate) accept(new SocketStream(socket), facts);
    else void admitOrEnd(options, socket, facts);
  });

  const bound = await listen(server, { name, address, port, portSetting });
  return {
    name,
    address: bound.address,
    port: bound.port,
    setCredentials(renewed) {
      server.setSecureContext(secureContextOptions(renewed, minimumTlsVersion));
      named.use(renewed, renewTickets(server));
    },
    async close() {
      gate.close();
      await stopListening(server);
    },
  };
}
