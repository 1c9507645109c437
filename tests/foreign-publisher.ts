import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CertificateAuthority,
  type CertificateStatus,
  createOcspResponse,
  createRevocationList,
  type PublishedAt,
  readCertificate,
  readOcspRequest,
} from '@sallyport/trust';
import type { Pair } from './certificate-clients.ts';

/** The web server of somebody else's authority: lists and OCSP answers, as true or as false as a test wants them. */
export interface ForeignPublisher {
  readonly base: string;
  readonly publishedAt: PublishedAt;
  /** Serials that its list names and its responder calls revoked. */
  readonly revoked: Set<string>;
  /** Paths that were asked, in their order. */
  readonly asked: string[];
  /** Answers in place of the honest one; undefined: the honest one. */
  dishonest?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** How long its lists and answers live. Milliseconds. */
  lifetime: number;
  /** Added to the time at which a list is said to be made. Milliseconds. */
  shift: number;
  close(): Promise<void>;
}

const HOUR = 3_600_000;

export async function foreignPublisher(authority: CertificateAuthority): Promise<ForeignPublisher> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (publisher.dishonest) publisher.dishonest(request, response);
    else void honest(request, response);
  });
  async function honest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const thisUpdate = Date.now() - 60_000 + publisher.shift;
    const nextUpdate = thisUpdate + publisher.lifetime;
    if (request.method === 'GET') {
      response.end(await listOf(authority, publisher.revoked, { thisUpdate, nextUpdate }));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const read = readOcspRequest(Buffer.concat(chunks));
    if (!read.ok) {
      response.writeHead(400).end();
      return;
    }
    const answers = read.value.asked.map(({ id, serial }) => {
      const status: CertificateStatus = publisher.revoked.has(serial)
        ? { status: 'revoked', revokedAt: thisUpdate }
        : { status: 'good' };
      return { id, status };
    });
    response.end(await createOcspResponse({ authority, answers, thisUpdate, nextUpdate }));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const publisher: ForeignPublisher = {
    base,
    publishedAt: { list: `${base}/list.crl`, responder: `${base}/ocsp`, issuer: `${base}/ca.crt` },
    revoked: new Set(),
    asked,
    lifetime: HOUR,
    shift: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return publisher;
}

export function listOf(
  authority: CertificateAuthority,
  serials: Iterable<string>,
  times: { readonly thisUpdate: number; readonly nextUpdate: number },
): Promise<Uint8Array> {
  const entries = [...serials].map((serial) => ({ serial, revokedAt: times.thisUpdate }));
  async function* revoked() {
    yield entries;
  }
  return createRevocationList({ authority, number: Date.now(), ...times, revoked: revoked() });
}

export async function serialOf({ cert }: Pair): Promise<string> {
  const read = await readCertificate(cert);
  if (!read.ok) throw new Error(read.problem);
  return read.value.serial;
}
