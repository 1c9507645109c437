import type { Socket } from 'node:net';
import type { ExchangeBounds } from './exchange.ts';
import { type Carrier, Peers } from './peers.ts';

/** The exchange between processes: one socket to each peer. Whoever gives it the sockets vouches for who is at their other ends. */
export class SocketExchange extends Peers {
  /** `self`: number of this worker. */
  constructor(self: number, bounds?: Partial<ExchangeBounds>) {
    super(self, bounds);
  }

  /** Takes over a connected socket, at whose other end is the worker of this number. Nothing of it may have been read. */
  connect(peer: number, socket: Socket): void {
    let last: Error | undefined;
    const carrier: Carrier = {
      write: (bytes) => socket.write(bytes),
      unsent: () => socket.writableLength,
      end: () => socket.end(),
      destroy: () => socket.destroy(),
    };
    socket.on('error', (error) => {
      last = error;
    });
    socket.on('close', () => {
      const why = last === undefined ? 'Its process has ended.' : `The way to it broke: ${last.message}`;
      this.ended(peer, carrier, why);
    });
    socket.on('drain', () => this.drained(peer, carrier));
    socket.on('data', (chunk: Buffer) => this.heard(peer, carrier, chunk));
    this.open(peer, carrier);
    socket.resume();
  }
}
