import { Failure, type Page } from '@sallyport/model';
import { failureOf } from './management-failure.ts';
import type { IncomingAnswer, ManagementTransport, OutgoingRequest } from './transport.ts';

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  /** Sent as they are, in place of `body`. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Which part of a list is wanted. */
export interface PageOptions {
  /** 1 to 500; 100 if left out. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** Puts calls of the API into HTTP and answers out of it. Segments of the path are escaped here and nowhere else. */
export class Caller {
  readonly #base: URL;
  readonly #token: string | undefined;
  readonly #transport: ManagementTransport;

  constructor(base: URL, token: string | undefined, transport: ManagementTransport) {
    this.#base = base;
    this.#token = token;
    this.#transport = transport;
  }

  /** Answers the document; fails with the problem that the server answers. */
  async json<T>(method: OutgoingRequest['method'], path: readonly string[], options: CallOptions = {}): Promise<T> {
    const { text } = await this.send(method, path, options);
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new Failure('server_unreachable', `What answers at ${this.#base.host} is no Sallyport server.`, { cause });
    }
  }

  async nothing(method: OutgoingRequest['method'], path: readonly string[], options: CallOptions = {}): Promise<void> {
    await this.send(method, path, options);
  }

  async send(
    method: OutgoingRequest['method'],
    path: readonly string[],
    { query = {}, body, bytes, headers = {} }: CallOptions = {},
  ): Promise<IncomingAnswer> {
    const url = new URL(`${this.#base.pathname.replace(/\/+$/, '')}/api/v1/${path.map(segment).join('/')}`, this.#base);
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
    const answer = await this.#transport.send({
      method,
      url,
      headers: {
        accept: 'application/json, application/problem+json, text/*',
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(bytes !== undefined && { 'content-type': 'application/octet-stream' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(bytes !== undefined && { body: bytes }),
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    // Health is a good answer in whatever state the server is.
    if (answer.status === 503 && answer.header('content-type')?.startsWith('application/json')) return answer;
    throw failureOf(answer, this.#base.host);
  }
}

/** A segment of `.` or `..` would be resolved away by URL and reach another route. */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw new Failure('invalid_request', `"${text}" is not an id.`, { cure: 'Give an id of 1 to 36 characters.' });
  }
  return encodeURIComponent(text);
}

/** Walks a list to its end, page by page: `for await (const device of everyItem((page) => client.devices.list(name, page)))`. */
export async function* everyItem<T>(list: (page: PageOptions) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
  let after: string | undefined;
  do {
    const page = await list(after === undefined ? { limit: 500 } : { limit: 500, after });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
