import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** What is asked of an authorization server. */
export interface IssuerRequest {
  readonly url: string;
  /** Sent as a form by POST; absent: GET. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers the body of 200, or rejects: in bounded time, with bounded bytes, without following anybody anywhere. */
export type AskIssuer = (request: IssuerRequest) => Promise<string>;

export interface IssuerRequestOptions {
  /** Milliseconds for one question. */
  readonly timeout: number;
  /** PEM of authorities to trust besides the public ones. */
  readonly authorities: readonly string[];
}

const MOST_BYTES = 256 * 1024;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What is wrong with the address of an authorization server; undefined if it may be asked. */
export function issuerAddressProblem(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'it is no address';
  }
  if (url.username !== '' || url.password !== '') return 'it holds a user name or password';
  if (url.hash !== '') return 'it has a fragment';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:') {
    return LOOPBACK.has(url.hostname) ? undefined : 'it is not https, which only an address of this machine may be';
  }
  return 'it is not https';
}

/** Asks authorization servers over HTTPS; over HTTP only on this machine. Redirects are refused: keys come from where they were said to be. */
export function askIssuer({ timeout, authorities }: IssuerRequestOptions): AskIssuer {
  // Reading all public authorities takes longer than a question: once is enough.
  let known: SecureContext | undefined;
  const trusted = () => {
    known ??= createSecureContext({ ca: [...rootCertificates, ...authorities] });
    return known;
  };
  return ({ url: text, form, headers = {} }) =>
    new Promise((resolve, reject) => {
      const problem = issuerAddressProblem(text);
      if (problem !== undefined) {
        reject(new Error(`${text}: ${problem}`));
        return;
      }
      const url = new URL(text);
      const body = form === undefined ? undefined : new URLSearchParams(form).toString();
      const options = {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'application/json',
          ...(body === undefined
            ? {}
            : {
                'content-type': 'application/x-www-form-urlencoded',
                'content-length': String(Buffer.byteLength(body)),
              }),
          ...headers,
        },
        // A whole answer, not a pause in it: who sends a byte a second does not hold us.
        signal: AbortSignal.timeout(timeout),
        agent: false,
      } as const;
      // Handed on to the handshake; the types of Node name it only there.
      const secure = url.protocol === 'https:' && { ...options, secureContext: trusted() };
      const request = secure ? requestSecure(url, secure) : requestPlain(url, options);
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MOST_BYTES) request.destroy(new Error(`the answer has more than ${MOST_BYTES} bytes`));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
          else reject(new Error(`the answer was ${response.statusCode}`));
        });
      });
      request.end(body);
    });
}
