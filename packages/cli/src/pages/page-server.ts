import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '@sallyport/model';
import { constantTimeEqual } from '@sallyport/trust/secrets';
import { type PageName, pageFile } from './page-file.ts';

const KEY_BYTES = 18;
const LARGEST_REQUEST = 64 * 1024;
/** Least time between two documents, in milliseconds. */
const PACE = 150;
const MAXIMUM_WATCHERS = 8;

/** No script, style or connection but of this origin; nobody may frame the page. */
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export interface PageServerOptions {
  readonly page: PageName;
  /** 0 takes a free one. */
  readonly port: number;
  /** The whole of what the page shows. */
  readonly document: () => unknown;
  /** What the page may ask for, by name. A Failure is shown on the page. */
  readonly actions: Readonly<Record<string, (request: unknown) => unknown>>;
}

/** A page of this process, for the person at this machine. */
export interface PageServer {
  /** With the key without which the page shows nothing; in the fragment, which a browser sends to nobody. */
  readonly url: string;
  /** Sends the document to every open page, soon. */
  changed(): void;
  close(): Promise<void>;
}

/**
 * Serves one page on loopback. Whatever it shows or does asks for a key that only the printed address has; the Host header must
 * be this server's own, so that no other site can be its stand-in by name (DNS rebinding).
 *
 * @throws Failure `port_taken`
 */
export async function openPage({ page, port, document, actions }: PageServerOptions): Promise<PageServer> {
  const key = randomBytes(KEY_BYTES).toString('base64url');
  const watchers = new Set<ServerResponse>();
  let timer: NodeJS.Timeout | undefined;
  let hosts: readonly string[] = [];

  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    answer(request, response).catch((problem: unknown) => {
      tell(response, 500, 'The page stumbled.', problem instanceof Error ? problem.message : String(problem));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!hosts.includes(request.headers.host ?? '')) return tell(response, 421, 'This is not the server of that name.');
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    if (pathname === '/document' || pathname.startsWith('/actions/')) {
      if (!holdsKey(request, key)) {
        return tell(response, 401, 'The page has no key.', 'Open the address that the command printed.');
      }
      if (pathname === '/document' && request.method === 'GET') return watch(response);
      if (request.method === 'POST') return act(pathname.slice('/actions/'.length), request, response);
      return tell(response, 405, 'That cannot be done here.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return tell(response, 405, 'That cannot be done here.');
    const file = await pageFile(page, pathname);
    if (file === undefined) return tell(response, 404, 'There is no such file.');
    response.setHeader('content-type', file.contentType);
    response.end(request.method === 'HEAD' ? undefined : file.bytes);
  }

  function watch(response: ServerResponse): void {
    if (watchers.size >= MAXIMUM_WATCHERS) {
      tell(response, 503, 'Too many pages are open.', 'Close one of them.');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
    send(response, JSON.stringify(document()));
  }

  async function act(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) return tell(response, 404, 'There is no such action.');
    let asked: unknown;
    try {
      asked = JSON.parse(await body(request));
    } catch {
      return tell(response, 400, 'The request is no JSON, or too long.');
    }
    try {
      await action(asked);
      response.setHeader('content-type', 'application/json').end('{}');
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      tell(response, 409, error.message, error.cure);
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Failure('port_taken', `Port ${port} is taken.`, { cause: error, cure: 'Choose another --ui-port.' })
          : error,
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: opened } = server.address() as AddressInfo;
  hosts = [`127.0.0.1:${opened}`, `localhost:${opened}`];

  return {
    url: `http://127.0.0.1:${opened}/#${key}`,
    changed() {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (watchers.size === 0) return;
        const text = JSON.stringify(document());
        for (const watcher of watchers) send(watcher, text);
      }, PACE);
    },
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.end();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** A page that does not read gets no second document on top of the first: the next one has everything. */
function send(response: ServerResponse, text: string): void {
  if (response.writableLength === 0) response.write(`data: ${text}\n\n`);
}

function holdsKey(request: IncomingMessage, key: string): boolean {
  return constantTimeEqual(request.headers.authorization ?? '', `Bearer ${key}`);
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > LARGEST_REQUEST) throw new RangeError('too long');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tell(response: ServerResponse, status: number, title: string, cure?: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ title, status, ...(cure === undefined ? {} : { cure }) }));
}
