import type { Socket } from 'node:net';
import { AddressIndex, parseListEntry } from '@sallyport/policy';
import type { HandshakeGate, PendingHandshake } from './handshake-gate.ts';
import type { HandshakeFailureReport } from './handshake-problem.ts';
import { readProxyHeader } from './proxy-header.ts';
import { type SocketAddresses, socketAddresses } from './socket-address.ts';

export interface ProxyDoorOptions {
  readonly name: string;
  /** Addresses and networks of proxies that say for whom they speak. */
  readonly proxyAddresses?: readonly string[];
  readonly maximumHandshakes?: number;
  readonly handshakeTimeout?: number;
  readonly onHandshakeFailure: HandshakeFailureReport;
  /** Whether the client for whom a proxy speaks may go on; asked before the gate. Left out: it may. */
  readonly judgeProxied?: (socket: Socket, client: SocketAddresses) => Promise<boolean>;
}

/** Lets a connection through the gate: `proceed` is called with where the client is, which a named proxy says by its header. */
export type ProxyDoor = (socket: Socket, proceed: (pending: PendingHandshake) => void) => void;

/**
 * Reads the header of the PROXY protocol from named proxies, and only from them. Whoever they speak for is held to the bounds of
 * the gate; the proxy itself is held to the number of headers that are unfinished and to a deadline.
 */
export function proxyDoor(gate: HandshakeGate, options: ProxyDoorOptions): ProxyDoor {
  const { name, proxyAddresses = [], maximumHandshakes = 512, handshakeTimeout = 10_000, onHandshakeFailure } = options;
  const { judgeProxied } = options;
  const enter: ProxyDoor = (socket, proceed) => {
    const pending = gate.enter(socket);
    if (pending) proceed(pending);
  };
  if (proxyAddresses.length === 0) return enter;
  const isProxy = namedProxies(proxyAddresses);
  const waiting = new Set<Socket>();

  return (socket, proceed) => {
    const own = socketAddresses(socket);
    if (!own || !isProxy(own.remoteAddress)) {
      enter(socket, proceed);
      return;
    }
    socket.on('error', () => {});
    const fail = (detail: string): void => {
      socket.destroy();
      const { remoteAddress, remotePort } = own;
      onHandshakeFailure({ listener: name, remoteAddress, remotePort, problem: 'proxy_header_missing', detail });
    };
    if (waiting.size >= maximumHandshakes) {
      socket.destroy();
      return;
    }
    waiting.add(socket);
    const deadline = setTimeout(
      () => fail(`The proxy sent no whole header within ${handshakeTimeout / 1000} s.`),
      handshakeTimeout,
    );
    socket.once('close', () => settle());
    const settle = (): void => {
      clearTimeout(deadline);
      waiting.delete(socket);
      socket.off('readable', onReadable);
    };
    let held: Buffer = Buffer.alloc(0);
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const header = readProxyHeader(held);
      if (header.outcome === 'incomplete') return;
      settle();
      if (header.outcome === 'malformed') {
        fail(`The header of the proxy is not correct: ${header.problem}.`);
        return;
      }
      const rest = held.subarray(header.length);
      const { source } = header;
      const client = source ? { ...own, remoteAddress: source.address, remotePort: source.port } : own;
      if (source) presentAs(socket, client);
      const goOn = (): void => {
        const pending = gate.enter(socket);
        if (!pending) return;
        proceed(pending);
        // Behind whoever waits for the first bytes now.
        if (rest.length > 0) socket.unshift(rest);
      };
      if (!judgeProxied) goOn();
      else {
        judgeProxied(socket, client).then(
          (may) => (may ? goOn() : socket.destroy()),
          () => socket.destroy(),
        );
      }
    };
    socket.on('readable', onReadable);
  };
}

/** From now on the socket says that its peer is there. */
export function presentAs(socket: Socket, { remoteAddress, remotePort }: SocketAddresses): void {
  Object.defineProperties(socket, {
    remoteAddress: { value: remoteAddress, configurable: true },
    remotePort: { value: remotePort, configurable: true },
    remoteFamily: { value: remoteAddress.includes(':') ? 'IPv6' : 'IPv4', configurable: true },
  });
}

/** Tells which addresses are among the named ones. */
export function namedProxies(addresses: readonly string[]): (address: string) => boolean {
  const index = new AddressIndex(
    addresses.flatMap((text) => {
      const read = parseListEntry(text);
      return read.ok && read.value.kind === 'range' ? [{ ...read.value.range, ends: Number.POSITIVE_INFINITY }] : [];
    }),
  );
  return (address) => index.find(address) >= 0;
}
