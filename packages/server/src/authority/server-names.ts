import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { type Parsed, parsed, unparsed } from '@sallyport/model';

/** The names and addresses under which clients reach this server, as its certificate lists them. */
export interface ServerNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const DNS_NAME =
  /^(?=.{1,253}$)(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** `localhost`, the loopback addresses, the name of this machine, and what is configured; names that DNS could not carry are left out. */
export function serverNames(configured: readonly string[], host: string = hostname()): ServerNames {
  const shortHost = host.split('.')[0] ?? host;
  const names = ['localhost', '127.0.0.1', '::1', host, shortHost, ...configured].map((name) => name.toLowerCase());
  return {
    dnsNames: unique(names.filter((name) => isIP(name) === 0 && DNS_NAME.test(name))),
    ipAddresses: unique(names.filter((name) => isIP(name) !== 0).map(canonicalAddress)),
  };
}

/** Names and addresses that somebody gives, each once and as certificates write them; the first that is neither is the problem. */
export function givenNames(given: readonly string[]): Parsed<ServerNames> {
  const names = given.map((name) => name.toLowerCase());
  const wrong = names.find((name) => isIP(name) === 0 && !DNS_NAME.test(name));
  if (wrong !== undefined) return unparsed(`"${wrong.slice(0, 80)}" is no host name and no address`);
  return parsed({
    dnsNames: unique(names.filter((name) => isIP(name) === 0)),
    ipAddresses: unique(names.filter((name) => isIP(name) !== 0).map(canonicalAddress)),
  });
}

/** True if both list the same names, whatever their order and the spelling of addresses. */
export function sameNames(a: ServerNames, b: ServerNames): boolean {
  const flat = ({ dnsNames, ipAddresses }: ServerNames): string =>
    [...dnsNames.map((name) => name.toLowerCase()), ...ipAddresses.map(canonicalAddress)].sort().join(' ');
  return flat(a) === flat(b);
}

/** IPv6 addresses have many spellings; the URL parser knows the one of RFC 5952. */
function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
