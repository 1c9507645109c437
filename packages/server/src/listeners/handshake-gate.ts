import type { Socket } from 'node:net';
import type { FirstBytes } from './client-hello.ts';
import { type BoundMet, connectionBounds } from './connection-bounds.ts';
import type { HandshakeFailureReport, HandshakeProblem } from './handshake-problem.ts';
import type { ListenerBounds } from './listener-options.ts';
import { type SocketAddresses, socketAddresses } from './socket-address.ts';

export interface HandshakeGateOptions extends ListenerBounds {
  readonly name: string;
  readonly onHandshakeFailure: HandshakeFailureReport;
  /** Told when the handshake of a connection has come to an end, good or bad. */
  readonly onSettled?: (socket: Socket) => void;
}

/** A connection whose handshake is not done. It ends in exactly one of `done`, `fail`, its deadline, or the peer's going. */
export interface PendingHandshake {
  readonly addresses: SocketAddresses;
  /** The first bytes that came; they are told with a later failure. */
  firstBytes?: FirstBytes;
  /** True the first time, unless it ended otherwise before. */
  done(): boolean;
  /** Reports why, and closes the connection. */
  fail(problem: HandshakeProblem, detail: string): void;
}

/** Counts connections and unfinished handshakes of one listener and holds them to their bounds. */
export interface HandshakeGate {
  /** Undefined if a bound was met; the connection is closed then. */
  enter(socket: Socket): PendingHandshake | undefined;
  /** Ends what is unfinished. */
  close(): void;
}

const ignored = (): void => {};

export function handshakeGate(options: HandshakeGateOptions): HandshakeGate {
  const { name, onHandshakeFailure, onSettled, handshakeTimeout = 10_000 } = options;
  const bounds = connectionBounds(options);
  const unfinished = new Set<Socket>();

  function report(
    { remoteAddress, remotePort }: SocketAddresses,
    { problem, detail, cure }: BoundMet,
    first?: FirstBytes,
  ): void {
    onHandshakeFailure({
      listener: name,
      remoteAddress,
      remotePort,
      problem,
      detail,
      ...(cure === undefined ? {} : { cure }),
      ...(first?.tlsVersion === undefined ? {} : { tlsVersion: first.tlsVersion }),
      ...(first?.serverName === undefined ? {} : { serverName: first.serverName }),
    });
  }

  /** One object for each connection that waits, and nothing of it is left when it is done. */
  class Pending implements PendingHandshake {
    readonly addresses: SocketAddresses;
    firstBytes?: FirstBytes;
    #socket: Socket | undefined;
    #deadline: NodeJS.Timeout | undefined;

    constructor(socket: Socket, addresses: SocketAddresses) {
      this.addresses = addresses;
      this.#socket = socket;
      this.#deadline = setTimeout(() => this.#late(), handshakeTimeout);
    }

    done(): boolean {
      if (this.#socket === undefined) return false;
      clearTimeout(this.#deadline);
      unfinished.delete(this.#socket);
      bounds.settled(this.addresses.remoteAddress);
      onSettled?.(this.#socket);
      this.#socket = undefined;
      this.#deadline = undefined;
      return true;
    }

    fail(problem: HandshakeProblem, detail: string): void {
      const socket = this.#socket;
      if (socket === undefined || !this.done()) return;
      socket.destroy();
      report(this.addresses, { problem, detail }, this.firstBytes);
    }

    #late(): void {
      const said = this.firstBytes ? 'began a handshake and did not finish it' : 'sent nothing';
      this.fail('handshake_timeout', `The client ${said} within ${handshakeTimeout / 1000} s.`);
    }

    closed(): void {
      // Who closes without a byte looked whether the port is open: nothing to explain.
      if (this.firstBytes) this.fail('handshake_abandoned', 'The client closed the connection within the handshake.');
      else this.done();
    }
  }

  return {
    enter(socket) {
      // A reset before anybody listens for it must not end the process.
      socket.on('error', ignored);
      const addresses = socketAddresses(socket);
      const met = addresses && bounds.admit(addresses.remoteAddress);
      if (!addresses || met) {
        socket.destroy();
        if (addresses && met) report(addresses, met);
        return undefined;
      }
      unfinished.add(socket);
      const pending = new Pending(socket, addresses);
      socket.on('close', () => {
        bounds.gone();
        pending.closed();
      });
      return pending;
    },
    close() {
      for (const socket of [...unfinished]) socket.destroy();
    },
  };
}
