import { createServer, type Socket } from 'node:net';
import { connectionBounds } from './connection-bounds.ts';
import type { HandshakeFailureReport } from './handshake-problem.ts';
import { listen, stopListening } from './listen.ts';
import type { Listener, ListenerBounds, PortOptions } from './listener-options.ts';
import { namedProxies } from './proxy-door.ts';
import { type SocketAddresses, socketAddresses } from './socket-address.ts';

/** A connection on its way to whoever serves it, who says once when its handshake has come to an end, and once when it is gone. */
export interface HandedOver {
  settled(): void;
  gone(): void;
  /** Of a connection from a named proxy: counts the client for whom it speaks. False if that client met a bound. */
  proxied(client: SocketAddresses): boolean;
}

export interface HandOverOptions extends ListenerBounds, PortOptions {
  readonly name: string;
  readonly onHandshakeFailure: HandshakeFailureReport;
  /** Takes the connection, of which nothing was read. */
  readonly give: (socket: Socket, counted: HandedOver) => void;
}

/**
 * Opens a port whose connections are judged here by their address, and served elsewhere: not a byte is read. What a named proxy says is read
 * by whoever serves, who asks by `proxied`.
 */
export async function listenForOthers(options: HandOverOptions): Promise<Listener> {
  const { name, address, port, portSetting = 'listeners', proxyAddresses = [], maximumHandshakes = 512 } = options;
  const { onHandshakeFailure, give } = options;
  const bounds = connectionBounds(options);
  const isProxy = proxyAddresses.length === 0 ? () => false : namedProxies(proxyAddresses);
  let headers = 0;
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, pauseOnConnect: true });

  function admitted({ remoteAddress, remotePort }: SocketAddresses): boolean {
    const met = bounds.admit(remoteAddress);
    if (met) onHandshakeFailure({ listener: name, remoteAddress, remotePort, ...met });
    return met === undefined;
  }

  server.on('connection', (socket) => {
    // A reset before anybody listens for it must not end the process.
    socket.on('error', () => {});
    const addresses = socketAddresses(socket);
    if (!addresses) {
      socket.destroy();
      return;
    }
    if (!isProxy(addresses.remoteAddress)) {
      if (!admitted(addresses)) socket.destroy();
      else {
        const settled = () => bounds.settled(addresses.remoteAddress);
        give(socket, { settled, gone: () => bounds.gone(), proxied: () => true });
      }
      return;
    }
    if (headers >= maximumHandshakes) {
      socket.destroy();
      return;
    }
    headers++;
    let client: string | undefined;
    let waits = true;
    const read = (): void => {
      if (waits) headers--;
      waits = false;
    };
    give(socket, {
      proxied(behind) {
        read();
        if (admitted(behind)) client = behind.remoteAddress;
        return client !== undefined;
      },
      settled() {
        if (client !== undefined) bounds.settled(client);
      },
      gone() {
        read();
        if (client !== undefined) bounds.gone();
      },
    });
  });

  const bound = await listen(server, { name, address, port, portSetting });
  return { name, address: bound.address, port: bound.port, close: () => stopListening(server) };
}
