import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerCredentials } from '../authority/authority.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import { guardHandshakes } from './guard-handshakes.ts';
import type { HandshakeGate } from './handshake-gate.ts';
import { listen, stopListening } from './listen.ts';
import type { TlsDoor, TlsDoorOptions, TlsListener, TlsListenerOptions } from './listener-options.ts';
import { namedContexts } from './named-contexts.ts';
import { secureContextOptions, tlsServerOptions } from './secure-settings.ts';
import { renewTickets, type TicketKeys } from './session-tickets.ts';
import { socketAddresses } from './socket-address.ts';
import { SocketStream } from './socket-stream.ts';
import { tlsFacts } from './tls-facts.ts';

/** Nothing is read while the certificate is judged; a judgement that breaks off is a refusal. */
async function admitOrEnd(
  { name, admitCertificate, accept, onHandshakeFailure }: TlsDoorOptions,
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

/** A TLS server with its gate, before it listens, if it ever does. */
interface Guarded {
  readonly server: Server;
  readonly gate: HandshakeGate;
  readonly setCredentials: TlsDoor['setCredentials'];
}

/** Serves MQTT over TLS 1.2 and 1.3. A connection is handed over when its handshake is done. */
export function tlsDoor(options: TlsDoorOptions): TlsDoor {
  const { server, gate, setCredentials } = guarded(options);
  return { take: (socket) => void server.emit('connection', socket), close: () => gate.close(), setCredentials };
}

/** Opens a port for MQTT over TLS 1.2 and 1.3. A connection is handed over when its handshake is done. */
export async function listenTls(options: TlsListenerOptions): Promise<TlsListener> {
  const { name, address, port, portSetting = '--mqtt-port' } = options;
  const { server, gate, setCredentials } = guarded(options);
  const bound = await listen(server, { name, address, port, portSetting });
  return {
    name,
    address: bound.address,
    port: bound.port,
    setCredentials,
    async close() {
      gate.close();
      await stopListening(server);
    },
  };
}

function guarded(options: TlsDoorOptions): Guarded {
  const { name, accept, credentials, minimumTlsVersion = 'TLSv1.2' } = options;
  const { requestCertificate = false, handshakeTimeout = 10_000 } = options;
  const named = namedContexts(minimumTlsVersion, credentials);
  const server = createServer({
    // The gate keeps the deadline, which begins with the connection; the server's own is the second line.
    ...tlsServerOptions({ credentials, minimumTlsVersion, requestCertificate, handshakeTimeout: 2 * handshakeTimeout }),
    SNICallback: named.SNICallback,
  });
  const gate = guardHandshakes(server, options);
  named.use(credentials, renewTickets(server, options.ticketKeys));

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

  return {
    server,
    gate,
    setCredentials(renewed: ServerCredentials, ticketKeys?: TicketKeys): void {
      server.setSecureContext(secureContextOptions(renewed, minimumTlsVersion));
      named.use(renewed, renewTickets(server, ticketKeys));
    },
  };
}
