import { isIPv4, isIPv6 } from 'node:net';
import { unmapped } from './socket-address.ts';

/** What the first bytes of a proxy's connection say. */
export type ProxyHeader =
  | { readonly outcome: 'incomplete' }
  | { readonly outcome: 'malformed'; readonly problem: string }
  | {
      readonly outcome: 'read';
      /** Bytes of the header: what follows is the client's. */
      readonly length: number;
      /** Absent if the proxy speaks for itself, for example to see whether the port is open. */
      readonly source?: { readonly address: string; readonly port: number };
    };

/** With line break; "large enough", as the specification says. */
const LONGEST_V1 = 107;
/** A header may carry more than addresses; that is skipped, and bounded. */
const LONGEST_V2 = 2048;
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const PREFIX = Buffer.from('PROXY ', 'latin1');
const V2_HEAD = 16;
const COMMANDS = { local: 0x20, proxy: 0x21 } as const;
const FAMILIES = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21 } as const;

/** Whether bytes begin like a header of either version. */
export function beginsLikeProxyHeader(bytes: Buffer): boolean {
  return bytes.subarray(0, PREFIX.length).equals(PREFIX) || bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE);
}

/**
 * Reads a header of the PROXY protocol, version 1 or 2, strictly: what is not exactly of its form is malformed. Never asks for more
 * than 2 KiB.
 *
 * https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return INCOMPLETE;
  const begins = (what: Buffer) => what.subarray(0, bytes.length).equals(bytes.subarray(0, what.length));
  if (begins(SIGNATURE)) return readV2(bytes);
  return begins(PREFIX) ? readV1(bytes) : malformed('it begins like neither version');
}

const INCOMPLETE: ProxyHeader = { outcome: 'incomplete' };

function malformed(problem: string): ProxyHeader {
  return { outcome: 'malformed', problem };
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, LONGEST_V1).indexOf('\r\n');
  if (end < 0) return bytes.length < LONGEST_V1 ? INCOMPLETE : malformed('its line does not end');
  const length = end + 2;
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { outcome: 'read', length };
  const fits = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIpv6 : undefined;
  if (!fits) return malformed('its family is none of TCP4, TCP6 and UNKNOWN');
  if (more.length > 0 || !fits(source) || !fits(destination)) return malformed('its addresses are not of its family');
  if (![sourcePort, destinationPort].every(isPort)) return malformed('its ports are none');
  return { outcome: 'read', length, source: { address: unmapped(source), port: Number(sourcePort) } };
}

/** With a zone it would be of one machine only. */
function isPlainIpv6(text: string): boolean {
  return !text.includes('%') && isIPv6(text);
}

function isPort(text: string): boolean {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_HEAD) return INCOMPLETE;
  const command = bytes[12];
  const family = bytes[13];
  const size = bytes.readUInt16BE(14);
  if (command !== COMMANDS.local && command !== COMMANDS.proxy) return malformed('its version or command is not known');
  if (V2_HEAD + size > LONGEST_V2) return malformed(`it is longer than ${LONGEST_V2} bytes`);
  const length = V2_HEAD + size;
  if (bytes.length < length) return INCOMPLETE;
  if (command === COMMANDS.local || family === FAMILIES.unspecified) return { outcome: 'read', length };
  if (family === FAMILIES.tcp4) {
    if (size < 12) return malformed('it is too short for its addresses');
    const address = [...bytes.subarray(16, 20)].join('.');
    return { outcome: 'read', length, source: { address, port: bytes.readUInt16BE(24) } };
  }
  if (family !== FAMILIES.tcp6) return malformed('it is not for TCP');
  if (size < 36) return malformed('it is too short for its addresses');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(16 + 2 * index).toString(16));
  return { outcome: 'read', length, source: { address: written(groups), port: bytes.readUInt16BE(48) } };
}

/** As the system writes addresses: the bytes of a mapped one are an IPv4 address. */
function written(groups: readonly string[]): string {
  const [, , , , , mark, high = '0', low = '0'] = groups;
  if (mark === 'ffff' && groups.slice(0, 5).every((group) => group === '0')) {
    const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
    return [a >> 8, a & 255, b >> 8, b & 255].join('.');
  }
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
