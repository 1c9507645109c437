import { createServer } from 'node:net';
import { readFirstBytes } from './client-hello.ts';
import { handshakeGate } from './handshake-gate.ts';
import { listen, stopListening } from './listen.ts';
import type { Door, DoorOptions, Listener, TcpListenerOptions } from './listener-options.ts';
import { proxyDoor } from './proxy-door.ts';
import { SocketStream } from './socket-stream.ts';

/** Serves MQTT without TLS. A connection is handed over with its first byte; one that says nothing is bounded as a handshake is. */
export function tcpDoor(options: DoorOptions): Door {
  const { name, accept } = options;
  const gate = handshakeGate(options);
  const door = proxyDoor(gate, options);
  return {
    take(socket) {
      door(socket, (pending) => {
        socket.once('data', (chunk: Buffer) => {
          pending.firstBytes = readFirstBytes(chunk);
          if (pending.firstBytes.kind === 'tls') {
            pending.fail('tls_on_plain_port', 'The client spoke TLS to a port without TLS.');
            return;
          }
          if (pending.firstBytes.kind === 'proxy') {
            const detail = 'A PROXY protocol header came from an address that is no named proxy of this listener.';
            pending.fail('proxy_header_refused', detail);
            return;
          }
          if (!pending.done()) return;
          const stream = new SocketStream(socket);
          accept(stream, { listener: name, transport: 'tcp', secure: false, ...pending.addresses });
          stream.deliver(chunk);
        });
      });
    },
    close: () => gate.close(),
  };
}

/** Opens a port for MQTT without TLS. */
export async function listenTcp(options: TcpListenerOptions): Promise<Listener> {
  const { name, address, port, portSetting = 'listeners.mqttPlain.port' } = options;
  const door = tcpDoor(options);
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
  server.on('connection', (socket) => door.take(socket));
  const bound = await listen(server, { name, address, port, portSetting });
  return {
    name,
    address: bound.address,
    port: bound.port,
    async close() {
      door.close();
      await stopListening(server);
    },
  };
}
