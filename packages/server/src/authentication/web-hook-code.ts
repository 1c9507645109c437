import { createHmac } from 'node:crypto';
import { request } from 'node:https';
import type { DeliverCode } from './unlock-desk.ts';

export interface WebHookCodeOptions {
  /** https only. */
  readonly url: string;
  /** Key of the signature. */
  readonly secret: Uint8Array;
  /** PEM of authorities to trust; those of the machine if left out. */
  readonly ca?: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly now: () => number;
}

/**
 * Posts codes to a web service that takes them to their owners. The body is signed: `Sallyport-Signature: t=SECONDS,v1=HEX`, where HEX is
 * HMAC-SHA256 over `SECONDS.BODY`. Anything but a 2xx answer is a failure; redirects are not followed, because they would carry the code on.
 */
export function webHookCode({ url, secret, ca, timeout, now }: WebHookCodeOptions): DeliverCode {
  return async ({ code, expiresAt, owner, organisation, principal, clientId, address }) => {
    const body = JSON.stringify({
      type: 'one-time-code',
      code,
      expiresAt: new Date(expiresAt).toISOString(),
      organisation,
      principal,
      clientId,
      address,
      ...(owner !== undefined && { owner }),
    });
    const seconds = Math.floor(now() / 1000);
    const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
    const status = await post(url, body, `t=${seconds},v1=${signature}`, ca, timeout);
    if (status < 200 || status > 299) throw new Error(`The web service answered ${status}.`);
  };
}

function post(url: string, body: string, signature: string, ca: string | undefined, timeout: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          'Sallyport-Signature': signature,
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
}
