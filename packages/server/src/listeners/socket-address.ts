import type { Socket } from 'node:net';
import { isIPv4 } from 'node:net';

/** The two ends of a connection as {@link TransportFacts} writes them. */
export interface SocketAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
}

/** Undefined if the connection has ended already. */
export function socketAddresses(socket: Socket): SocketAddresses | undefined {
  const { remoteAddress, remotePort, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined || localPort === undefined) return undefined;
  return { remoteAddress: unmapped(remoteAddress), remotePort, localPort };
}

/** `::ffff:192.0.2.1` is the IPv4 address 192.0.2.1 met by a socket for both families (RFC 4291 section 2.5.5.2). */
export function unmapped(address: string): string {
  if (address.length > 7 && address.slice(0, 7).toLowerCase() === '::ffff:') {
    const rest = address.slice(7);
    if (isIPv4(rest)) return rest;
  }
  return address;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || (address.startsWith('127.') && isIPv4(address));
}
