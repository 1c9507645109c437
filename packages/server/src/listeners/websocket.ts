import { type Server as HttpServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { HandshakeFailureReport, HandshakeProblem } from './handshake-problem.ts';
import type { AcceptStream } from './listener-options.ts';
import { type SocketAddresses, socketAddresses } from './socket-address.ts';
import { tlsFacts } from './tls-facts.ts';
import { websocketStream } from './websocket-stream.ts';

export interface WebSocketOptions {
  /** Appears in facts and events. */
  readonly name: string;
  /** Default `/mqtt`. */
  readonly path?: string;
  /** Connections at once. Default 10,000. */
  readonly maximumConnections?: number;
  /** Bytes of one WebSocket message, which is held until it is whole; not less than the largest packet. Default 1 MiB. */
  readonly maximumPayload?: number;
  readonly accept: AcceptStream;
  readonly onHandshakeFailure?: HandshakeFailureReport;
}

/** MQTT over WebSocket on a server that somebody else opened. */
export interface WebSocketDoor {
  /** Takes no more upgrades. Streams that were handed over live on. */
  close(): Promise<void>;
}

/** In the order of preference; the second is what clients of MQTT 3.1 ask for. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'] as const;

/** Offers MQTT at a path of an HTTP or HTTPS server, by the upgrade of RFC 6455. The subprotocol is demanded [MQTT-6.0.0-3]. */
export function attachWebSocket(server: HttpServer | HttpsServer, options: WebSocketOptions): WebSocketDoor {
  const { name, path = '/mqtt', maximumConnections = 10_000, maximumPayload = 1024 * 1024 } = options;
  const { accept, onHandshakeFailure } = options;
  let connections = 0;

  const upgrades = new WebSocketServer({
    noServer: true,
    path,
    maxPayload: maximumPayload,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => SUBPROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
  });

  function refuse(socket: Socket, status: number, text: string, problem?: HandshakeProblem): void {
    const addresses = socketAddresses(socket);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      () => socket.destroy(),
    );
    if (!problem || !addresses) return;
    const { remoteAddress, remotePort } = addresses;
    onHandshakeFailure?.({ listener: name, remoteAddress, remotePort, problem, detail: text });
  }

  function onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => {});
    const addresses = socketAddresses(socket);
    if (!addresses) {
      socket.destroy();
    } else if (!upgrades.shouldHandle(request)) {
      // Another listener of the event may know the path.
      if (server.listenerCount('upgrade') === 1) refuse(socket, 404, `MQTT over WebSocket is at ${path}.`);
    } else if (connections >= maximumConnections) {
      refuse(
        socket,
        503,
        `The listener has ${maximumConnections} connections, which is its bound.`,
        'connection_limit',
      );
    } else if (!offersMqtt(request)) {
      refuse(socket, 400, 'The WebSocket client did not offer the subprotocol "mqtt".', 'websocket_not_mqtt');
    } else {
      connections += 1;
      socket.once('close', () => {
        connections -= 1;
      });
      upgrades.handleUpgrade(request, socket, head, (websocket) => {
        accept(websocketStream(websocket, socket), factsOf(socket, addresses, name));
      });
    }
  }

  server.on('upgrade', onUpgrade);
  return {
    async close() {
      server.off('upgrade', onUpgrade);
    },
  };
}

function offersMqtt(request: IncomingMessage): boolean {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  return SUBPROTOCOLS.some((protocol) => offered.includes(protocol));
}

function factsOf(socket: Socket, addresses: SocketAddresses, listener: string): TransportFacts {
  if (socket instanceof TLSSocket) return tlsFacts(socket, addresses, { listener, transport: 'wss' });
  return { listener, transport: 'ws', secure: false, ...addresses };
}
