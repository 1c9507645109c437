import { createHmac } from 'node:crypto';
import { request as requestInClear } from 'node:http';
import { request } from 'node:https';

export interface SignedPostOptions {
  /** https; http only where the configuration names it as unsafe. */
  readonly url: string;
  /** Key of the signature. */
  readonly secret: Uint8Array;
  /** PEM of authorities to trust; those of the machine if left out. */
  readonly ca?: string;
  /** Milliseconds for the whole of it. */
  readonly timeout: number;
  readonly now: () => number;
}

/**
 * Posts JSON to a web service. The body is signed: `Sallyport-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 over `SECONDS.BODY`.
 * Rejects on anything but a 2xx answer; redirects are not followed, because they would carry the body on.
 */
export function signedPost({ url, secret, ca, timeout, now }: SignedPostOptions): (content: object) => Promise<void> {
  const ask = new URL(url).protocol === 'http:' ? requestInClear : request;
  return async (content) => {
    const body = JSON.stringify(content);
    const seconds = Math.floor(now() / 1000);
    const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
    const status = await new Promise<number>((resolve, reject) => {
      const asked = ask(
        url,
        {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(body),
            'Sallyport-Signature': `t=${seconds},v1=${signature}`,
          },
          minVersion: 'TLSv1.2',
          signal: AbortSignal.timeout(timeout),
          ...(ca !== undefined && { ca }),
        },
        (answer) => {
          // What it says is of no interest, and must not fill the memory.
          answer.destroy();
          resolve(answer.statusCode ?? 0);
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
    if (status < 200 || status > 299) throw new Error(`The web service answered ${status}.`);
  };
}
