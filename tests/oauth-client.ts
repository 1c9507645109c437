import { request } from 'node:https';
import type { Pair } from './certificate-clients.ts';
import type { TestServer } from './server.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** What a client of the authorization server sends: a form, or nothing (GET). */
export interface OauthCall {
  readonly form?: Readonly<Record<string, string>>;
  /** `client_id` and `client_secret` of HTTP Basic authentication. */
  readonly basic?: readonly [string, string];
  /** Certificate and key of the client. */
  readonly pair?: Pair;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the HTTPS port of a server, by absolute path or URL. */
export function ask(server: Pick<TestServer, 'httpPort' | 'rootPem'>, path: string, call: OauthCall = {}) {
  const body = call.form && new URLSearchParams(call.form).toString();
  const url = new URL(path, `https://localhost:${server.httpPort}`);
  return new Promise<HttpAnswer>((resolve, reject) => {
    const sent = request(
      url,
      {
        method: body === undefined ? 'GET' : 'POST',
        ca: server.rootPem,
        agent: false,
        servername: 'localhost',
        ...(call.pair && { key: call.pair.key, cert: call.pair.cert }),
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
          ...(call.basic && { authorization: `Basic ${btoa(call.basic.map(encodeURIComponent).join(':'))}` }),
          ...call.headers,
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const isJson = String(answer.headers['content-type']).includes('json');
          const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** One of the scopes of an access token. */
export function scope(action: 'publish' | 'subscribe', filter: string): string {
  return `mqtt:${action}:${encodeURIComponent(filter)}`;
}
