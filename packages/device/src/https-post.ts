import type { IncomingMessage } from 'node:http';
import { linkFailure } from './link-failure.ts';
import { rootCertificate } from './root-certificate.ts';

export interface HttpsPost {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Root certificate to trust: PEM text, or the path of a PEM file. The authorities of the runtime if absent. */
  readonly ca?: string | undefined;
  /** Client certificate in PEM. */
  readonly pair?: { readonly cert: string; readonly key: string };
}

export interface HttpsAnswer {
  readonly status: number;
  /** Seconds that the server asks to wait; undefined if it does not. */
  readonly retryAfter: number | undefined;
  readonly text: string;
}

const PATIENCE = 15_000;
const LARGEST_ANSWER = 131_072;

/**
 * One POST over a connection of its own: verified TLS, no redirects, a bounded answer. In Node only.
 *
 * @throws Failure `server_unreachable`, `server_not_trusted`, `connection_lost`; what the signal was aborted with
 */
export async function httpsPost(
  { address, headers, body, ca, pair }: HttpsPost,
  signal: AbortSignal,
): Promise<HttpsAnswer> {
  // Loaded on demand: a browser has no such thing.
  const { request } = await import('node:https');
  const root = ca === undefined ? {} : { ca: await rootCertificate(ca) };
  try {
    return await new Promise((resolve, reject) => {
      const sent = request(address, {
        method: 'POST',
        agent: false,
        minVersion: 'TLSv1.2',
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
        ...root,
        ...pair,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const retryAfter = Number(response.headers['retry-after']) || undefined;
        bounded(response).then((text) => resolve({ status: response.statusCode ?? 0, retryAfter, text }), reject);
      });
      sent.end(body);
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw linkFailure(cause, new URL(address).host);
  }
}

async function bounded(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > LARGEST_ANSWER) throw new Error('the answer is too large');
  }
  return text;
}
