import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '@sallyport/model';
import { type AnswerPublished, PUBLISHED_BODY_MAXIMUM } from './published-objects.ts';

/** An open port for plain HTTP. */
export interface PublishedListener {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface PublishedListenerOptions {
  readonly address: string;
  readonly port: number;
  readonly maximumConnections: number;
  readonly answer: AnswerPublished;
}

/** Time that a client has for a request. Milliseconds. */
const REQUEST_TIMEOUT = 10_000;

/** Opens a port that answers the same by plain HTTP. Throws `port_taken` or `address_unavailable`. */
export async function listenPublished(options: PublishedListenerOptions): Promise<PublishedListener> {
  const { address, port, maximumConnections, answer } = options;
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT,
      headersTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 2000,
    },
    (request, response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      request.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= PUBLISHED_BODY_MAXIMUM) chunks.push(chunk);
        else if (!response.headersSent) response.writeHead(413, { connection: 'close' }).end(() => request.destroy());
      });
      request.on('end', () => {
        if (response.headersSent) return;
        answer({
          method: request.method ?? '',
          url: request.url ?? '',
          address: request.socket.remoteAddress ?? '',
          contentType: request.headers['content-type'],
          known: request.headers['if-none-match'],
          body: Buffer.concat(chunks),
        }).then(
          ({ status, headers, body }) => {
            const fixed = { 'x-content-type-options': 'nosniff', 'content-length': String(body.length) };
            response.writeHead(status, status === 304 ? headers : { ...headers, ...fixed });
            response.end(request.method === 'HEAD' || status === 304 ? undefined : body);
          },
          () => response.writeHead(503).end(),
        );
      });
    },
  );
  server.maxConnections = maximumConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(explained(cause, address, port)));
    server.listen({ host: address, port }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    address: bound.address,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function explained(cause: NodeJS.ErrnoException, address: string, port: number): Failure {
  const taken = cause.code === 'EADDRINUSE';
  const what = `The listener revocationHttp cannot listen on ${address} port ${port}`;
  return new Failure(
    taken ? 'port_taken' : 'address_unavailable',
    taken ? `${what}: another program has it.` : `${what}: ${cause.message}`,
    { cause, cure: 'Set another listeners.revocationHttp.port or address in the configuration.' },
  );
}
