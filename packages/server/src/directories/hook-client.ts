import { createHmac } from 'node:crypto';
import { request } from 'node:https';
import { Failure } from '@sallyport/model';
import type { CircuitBreaker } from './circuit-breaker.ts';

export interface HookSettings {
  /** https only. */
  readonly url: string;
  /** PEM of the authorities that the hook's certificate may lead to; those of the system if it is absent. */
  readonly ca?: string;
  /** Signs each request. */
  readonly secret: string;
  /** Milliseconds for the whole answer. */
  readonly timeout: number;
}

/** Largest answer that is read, in bytes. */
const LARGEST = 16_384;

/**
 * Asks a web hook: JSON by POST, signed with HMAC-SHA256 over time and body (`Sallyport-Signature: t=SECONDS,v1=HEX`). Redirects are not
 * followed. Rejects with `directory_unavailable` unless the answer is 200 with a JSON object.
 */
export function hookClient(
  { url, ca, secret, timeout }: HookSettings,
  { breaker, now }: { readonly breaker: CircuitBreaker; readonly now: () => number },
): (question: object) => Promise<Readonly<Record<string, unknown>>> {
  return (question) => {
    const body = JSON.stringify(question);
    const time = Math.floor(now() / 1000);
    const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
    return breaker(
      () =>
        new Promise((resolve, reject) => {
          const sent = request(
            url,
            {
              method: 'POST',
              minVersion: 'TLSv1.2',
              ...(ca === undefined ? {} : { ca }),
              headers: {
                'content-type': 'application/json',
                'content-length': Buffer.byteLength(body),
                'sallyport-signature': `t=${time},v1=${signature}`,
              },
              // Also a slow trickle ends, which a timeout of the socket would not see.
              signal: AbortSignal.timeout(timeout),
            },
            (answer) => {
              const chunks: Buffer[] = [];
              let size = 0;
              answer.on('data', (chunk: Buffer) => {
                size += chunk.length;
                if (size > LARGEST) answer.destroy(new Error('the answer is larger than 16 KiB'));
                else chunks.push(chunk);
              });
              answer.on('error', reject);
              answer.on('end', () => {
                if (answer.statusCode !== 200)
                  return reject(new Error(`it answered ${answer.statusCode ?? 'nothing'}`));
                try {
                  resolve(objectOf(Buffer.concat(chunks).toString('utf8')));
                } catch (error) {
                  reject(error instanceof Error ? error : new Error('the answer cannot be read'));
                }
              });
            },
          );
          sent.on('error', reject);
          sent.end(body);
        }),
    );
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Failure('directory_unavailable', 'The web hook answered something that is no JSON object.');
}
