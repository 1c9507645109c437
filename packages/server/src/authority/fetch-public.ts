import { lookup as lookupName } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';
import { type Parsed, parsed, unparsed } from '@sallyport/model';

export interface FetchOptions {
  readonly url: string;
  /** Sent with POST, if there is one. */
  readonly body?: Uint8Array;
  readonly contentType?: string;
  readonly maximumBytes: number;
  /** For everything, redirects included. Milliseconds. */
  readonly timeout: number;
  /** Lower-case host names and addresses that may lead into private networks. */
  readonly allowedHosts: ReadonlySet<string>;
}

const REDIRECTS_MAXIMUM = 3;

/** Addresses that a name on the public network does not have: this machine, its neighbours, and what no route leads to. */
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ...[['0.0.0.0', 8] as const, ['10.0.0.0', 8] as const, ['100.64.0.0', 10] as const, ['127.0.0.0', 8] as const],
  ...[
    ['169.254.0.0', 16] as const,
    ['172.16.0.0', 12] as const,
    ['192.0.0.0', 24] as const,
    ['192.168.0.0', 16] as const,
  ],
  ...[['198.18.0.0', 15] as const, ['224.0.0.0', 4] as const, ['240.0.0.0', 4] as const],
]) {
  PRIVATE.addSubnet(net, prefix, 'ipv4');
}
/** Everything but global unicast, and of that what carries an IPv4 address inside (NAT64 lies outside it anyway). */
const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');
const EMBEDDING = new BlockList();
EMBEDDING.addSubnet('2002::', 16, 'ipv6');
EMBEDDING.addSubnet('2001::', 32, 'ipv6');

/** True for an address that only names of {@link FetchOptions.allowedHosts} may lead to. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPrivateAddress(mapped);
  if (isIPv4(address)) return PRIVATE.check(address, 'ipv4');
  return !GLOBAL.check(address, 'ipv6') || EMBEDDING.check(address, 'ipv6');
}

/**
 * Fetches a public object by HTTP or HTTPS. The URL was written by somebody else, so it may lead only to public addresses and the
 * hosts that the operator has named, each redirect and each answer of the name service again; no credential goes along, and
 * size and time are bounded. Every failure is told in a few words.
 */
export async function fetchPublic(options: FetchOptions): Promise<Parsed<Uint8Array>> {
  const deadline = AbortSignal.timeout(options.timeout);
  let url = options.url;
  for (let hops = 0; hops <= REDIRECTS_MAXIMUM; hops++) {
    const answer = await fetchOnce(url, options, deadline);
    if (!answer.ok || answer.value instanceof Uint8Array) return answer as Parsed<Uint8Array>;
    url = answer.value.redirect;
  }
  return unparsed(`it redirects more than ${REDIRECTS_MAXIMUM} times`);
}

type Answer = Parsed<Uint8Array | { readonly redirect: string }>;

function fetchOnce(text: string, options: FetchOptions, signal: AbortSignal): Promise<Answer> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    return Promise.resolve(unparsed('only http and https are fetched, without a user name'));
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const isAllowed = options.allowedHosts.has(host);
  if (!isAllowed && isIP(host) !== 0 && isPrivateAddress(host)) return Promise.resolve(unparsed(privateProblem(host)));
  const { body, contentType } = options;
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
      url,
      {
        method: body ? 'POST' : 'GET',
        agent: false,
        signal,
        headers: {
          accept: '*/*',
          'user-agent': 'Sallyport',
          ...(body ? { 'content-type': contentType ?? 'application/octet-stream', 'content-length': body.length } : {}),
        },
        ...(isAllowed ? {} : { lookup: publicLookup }),
      },
      (response) => {
        readAnswer(response, url, options.maximumBytes).then(resolve, (error: Error) =>
          resolve(unparsed(wordsOf(error))),
        );
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) => resolve(unparsed(signal.aborted ? LATE : wordsOf(error))));
    request.end(body);
  });
}

const LATE = 'the answer did not come in time';

async function readAnswer(response: IncomingMessage, url: URL, maximumBytes: number): Promise<Answer> {
  const { statusCode = 0, headers } = response;
  if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined) {
    response.destroy();
    if (!URL.canParse(headers.location, url.href)) return unparsed('it redirects to what is no URL');
    return parsed({ redirect: new URL(headers.location, url.href).href });
  }
  if (statusCode !== 200) {
    response.destroy();
    return unparsed(`the answer has status ${statusCode}`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maximumBytes) {
      response.destroy();
      return unparsed(`the answer has more than ${maximumBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return parsed(Buffer.concat(chunks));
}

/** Looks at the very addresses that the connection is made to: a name may lead elsewhere the next time. */
const publicLookup: LookupFunction = (name, options, callback) => {
  lookupName(name, { ...options, all: true }, (error, addresses) => {
    const found = addresses ?? [];
    const refused = found.find(({ address }) => isPrivateAddress(address));
    const [first] = found;
    if (error) callback(error, '', 0);
    else if (refused || !first) callback(Object.assign(new Error(privateProblem(name)), { code: 'EPRIVATE' }), '', 0);
    else if (options.all) callback(null, found);
    else callback(null, first.address, first.family);
  });
};

function privateProblem(host: string): string {
  return `${host} is a private address, and not in revocation.allowedHosts`;
}

function wordsOf(error: NodeJS.ErrnoException): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return LATE;
  return error.code === undefined || error.code === 'EPRIVATE' ? error.message : `${error.message} (${error.code})`;
}
