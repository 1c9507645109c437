import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { type FirstBytes, readFirstBytes } from './client-hello.ts';
import { peekFirstChunk } from './first-chunk.ts';
import {
  type HandshakeGate,
  type HandshakeGateOptions,
  handshakeGate,
  type PendingHandshake,
} from './handshake-gate.ts';
import { type ProxyDoorOptions, presentAs, proxyDoor } from './proxy-door.ts';
import { socketAddresses } from './socket-address.ts';
import { tlsProblem } from './tls-problem.ts';

type ConnectionListener = (this: Server, socket: Socket) => void;

/**
 * Puts the gate in front of a TLS or HTTPS server: it looks at the first bytes, holds unfinished handshakes to their bounds, and says
 * why one failed. Call it before the server listens, and before anybody else waits for its `connection` event.
 */
export function guardHandshakes(server: Server, options: HandshakeGateOptions & ProxyDoorOptions): HandshakeGate {
  const gate = handshakeGate(options);
  const door = proxyDoor(gate, options);
  // A TLS socket does not tell which connection it wraps; within a listener the peer's end is unique.
  const pendings = new Map<string, PendingHandshake>();
  const handshakes = server.listeners('connection') as ConnectionListener[];
  server.removeAllListeners('connection');

  server.on('connection', (socket: Socket) => {
    // Where the connection itself comes from: a proxy may say later that it speaks for somebody else.
    const key = endOf(socket);
    door(socket, (pending) => {
      pendings.set(key, pending);
      socket.once('close', () => {
        if (pendings.get(key) === pending) pendings.delete(key);
      });
      peekFirstChunk(socket, (chunk) => {
        const first = readFirstBytes(chunk);
        pending.firstBytes = first;
        if (first.kind === 'tls') for (const handshake of handshakes) handshake.call(server, socket);
        else pending.fail(PROBLEMS[first.kind], SPOKEN[first.kind]);
      });
    });
  });

  const settled = (socket: TLSSocket): PendingHandshake | undefined => {
    const key = endOf(socket);
    const pending = pendings.get(key);
    pendings.delete(key);
    return pending;
  };
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const pending = settled(socket);
    if (!pending) return;
    // The TLS socket asks the system, which knows the proxy only.
    if (pending.addresses.remoteAddress !== socketAddresses(socket)?.remoteAddress)
      presentAs(socket, pending.addresses);
    pending.done();
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const { problem, detail } = tlsProblem(error);
    settled(socket)?.fail(problem, `${detail}.`);
  });
  return gate;
}

const PROBLEMS = {
  mqtt: 'plain_mqtt_on_tls_port',
  http: 'not_tls',
  other: 'not_tls',
  proxy: 'proxy_header_refused',
} as const;

const SPOKEN: Readonly<Record<Exclude<FirstBytes['kind'], 'tls'>, string>> = {
  mqtt: 'The client spoke plain MQTT to a TLS port.',
  http: 'The client spoke plain HTTP to a TLS port.',
  proxy: 'A PROXY protocol header came from an address that is no named proxy of this listener.',
  other: 'The client spoke something other than TLS to a TLS port.',
};

function endOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
