import type { Server } from 'node:https';
import type { FastifyInstance } from 'fastify';
import type { Authority } from '../authority/authority.ts';
import type { Configuration } from '../config/schema.ts';
import type { ApiOptions } from '../http/api-options.ts';
import { listenHttp } from '../http/listen.ts';
import { guardHandshakes } from '../listeners/guard-handshakes.ts';
import type { HandshakeFailureReport } from '../listeners/handshake-problem.ts';
import type { AcceptStream, ListenerBounds, TlsVersion } from '../listeners/listener-options.ts';
import { namedContexts } from '../listeners/named-contexts.ts';
import { secureContextOptions } from '../listeners/secure-settings.ts';
import { attachWebSocket } from '../listeners/websocket.ts';

/** The certificates of the HTTPS port: those of its beginning, and how it comes to others. */
export interface HttpsCredentials {
  readonly tls: ApiOptions['tls'];
  /** From the next handshake on the server has the certificates that the authority has now. */
  renew(server: Server): void;
}

export function httpsCredentials(
  authority: Pick<Authority, 'serverCredentials'>,
  minimumTlsVersion: TlsVersion,
): HttpsCredentials {
  const context = () => secureContextOptions(authority.serverCredentials(), minimumTlsVersion);
  const names = namedContexts(minimumTlsVersion, authority.serverCredentials());
  return {
    tls: { ...context(), SNICallback: names.SNICallback },
    renew(server) {
      server.setSecureContext(context());
      names.use(authority.serverCredentials());
    },
  };
}

/** Least of what one frame of WebSocket may carry, in bytes. */
const LEAST_PAYLOAD = 1024 * 1024;

/** Opens the port of the API and of MQTT over WebSocket. It is closed with the API. Throws `port_taken` or `address_unavailable`. */
export async function openHttpsListener(parts: {
  readonly api: FastifyInstance<Server>;
  readonly settings: Configuration['listeners']['http'];
  readonly rates: ListenerBounds;
  /** Bytes of MQTT. */
  readonly maximumPacketSize: number;
  readonly accept: AcceptStream;
  readonly onHandshakeFailure: HandshakeFailureReport;
  /** Told what has to be done at the end of the server, as soon as it has. */
  readonly atEnd: (close: () => unknown) => void;
}): Promise<number> {
  const { api, settings, rates, maximumPacketSize, accept, onHandshakeFailure, atEnd } = parts;
  if (settings.websocket) {
    const websocket = attachWebSocket(api.server, {
      name: 'websocket',
      path: settings.websocketPath,
      maximumConnections: settings.maximumConnections,
      // A whole packet must fit, and the framing of many small ones.
      maximumPayload: Math.max(maximumPacketSize, LEAST_PAYLOAD),
      accept,
      onHandshakeFailure,
    });
    atEnd(() => websocket.close());
  }
  const { proxyAddresses } = settings;
  const gate = guardHandshakes(api.server, { name: 'https', ...rates, proxyAddresses, onHandshakeFailure });
  atEnd(() => gate.close());
  return listenHttp(api, settings);
}
