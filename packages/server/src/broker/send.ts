import { encode, type Packet, type Properties } from '@sallyport/mqtt';
import type { Link } from './link.ts';
import { ticketText } from './reason-codes.ts';

/** Writes any packet but PUBLISH to the peer. Where time matters, write into the slab. */
export function send(link: Link, packet: Packet): void {
  const bytes = encode(packet, link.version);
  const at = link.slab.reserve(bytes.length);
  bytes.copy(link.slab.bytes, at);
  link.touch();
}

/** The properties that tell a ticket, where the version has them, the client wants them and its packet size takes them. */
export function ticketProperties(
  link: Link,
  ticket: string | undefined,
  maximumPacketSize: number,
): { readonly properties?: Properties } {
  if (link.version < 5 || ticket === undefined || !link.problemInformation || maximumPacketSize < 128) return {};
  return { properties: { reasonString: ticketText(ticket) } };
}
