import type { Socket } from 'node:net';
import type { FirstBytes } from './client-hello.ts';
import { connectRateGate } from './connect-rate.ts';
import type { HandshakeFailureReport, HandshakeProblem } from './handshake-problem.ts';
import type { ListenerBounds } from './listener-options.ts';
import { isLoopback, type SocketAddresses, socketAddresses } from './socket-address.ts';

export interface HandshakeGateOptions extends ListenerBounds {
  readonly name: string;
  readonly onHandshakeFailure: HandshakeFailureReport;
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

/** What is reported, in what words, with which cure. */
type BoundMet = readonly [HandshakeProblem, string, (string | undefined)?];

const ignored = (): void => {};

/** No bound of their own for proxies on this machine, unless one was asked for. */
const PER_ADDRESS = 32;

export function handshakeGate(options: HandshakeGateOptions): HandshakeGate {
  const { name, onHandshakeFailure, maximumConnections = 10_000, maximumHandshakes = 512 } = options;
  const { handshakeTimeout = 10_000 } = options;
  const now = () => performance.now();
  const { connectRate, connectRatePerAddress, boundLoopback = false } = options;
  const tooFast = connectRateGate({ ...(connectRate && { connectRate }), now });
  const tooFastOfOne = connectRateGate({ ...(connectRatePerAddress && { connectRatePerAddress }), now });
  const unfinished = new Set<Socket>();
  const perAddress = new Map<string, number>();
  let connections = 0;

  const boundOf = (address: string): number =>
    options.maximumHandshakesPerAddress ??
    (isLoopback(address) && !boundLoopback ? Number.POSITIVE_INFINITY : PER_ADDRESS);

  function boundMet({ remoteAddress }: SocketAddresses): BoundMet | undefined {
    const refused = options.refuseAddress?.(remoteAddress);
    if (refused) return [refused.problem, refused.detail, refused.cure];
    if (connections >= maximumConnections) {
      return ['connection_limit', `The listener has ${maximumConnections} connections, which is its bound.`];
    }
    if (unfinished.size >= maximumHandshakes) {
      return [
        'too_many_handshakes',
        `${maximumHandshakes} handshakes are unfinished, which is the bound of the listener.`,
      ];
    }
    const bound = boundOf(remoteAddress);
    if ((perAddress.get(remoteAddress) ?? 0) >= bound) {
      return [
        'too_many_handshakes',
        `${bound} handshakes of this address are unfinished, which is the bound for one address.`,
      ];
    }
    if ((boundLoopback || !isLoopback(remoteAddress)) && tooFastOfOne(remoteAddress)) {
      return [
        'connection_limit',
        `More than ${connectRatePerAddress} connections per second come from this address (limits.maximumConnectRatePerAddress).`,
      ];
    }
    if (tooFast(remoteAddress)) {
      return [
        'connection_limit',
        `More than ${connectRate} connections per second come to the listener (limits.maximumConnectRate).`,
      ];
    }
    return undefined;
  }

  function report({ remoteAddress, remotePort }: SocketAddresses, met: BoundMet, first?: FirstBytes): void {
    const [problem, detail, cure] = met;
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
      const { remoteAddress } = this.addresses;
      unfinished.delete(this.#socket);
      const left = (perAddress.get(remoteAddress) ?? 1) - 1;
      if (left === 0) perAddress.delete(remoteAddress);
      else perAddress.set(remoteAddress, left);
      this.#socket = undefined;
      this.#deadline = undefined;
      return true;
    }

    fail(problem: HandshakeProblem, detail: string): void {
      const socket = this.#socket;
      if (socket === undefined || !this.done()) return;
      socket.destroy();
      report(this.addresses, [problem, detail], this.firstBytes);
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
      const met = addresses && boundMet(addresses);
      if (!addresses || met) {
        socket.destroy();
        if (addresses && met) report(addresses, met);
        return undefined;
      }
      const { remoteAddress } = addresses;
      connections += 1;
      unfinished.add(socket);
      perAddress.set(remoteAddress, (perAddress.get(remoteAddress) ?? 0) + 1);
      const pending = new Pending(socket, addresses);
      socket.on('close', () => {
        connections -= 1;
        pending.closed();
      });
      return pending;
    },
    close() {
      for (const socket of [...unfinished]) socket.destroy();
    },
  };
}
