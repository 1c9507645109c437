import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { Failure } from '@sallyport/model';
import { rootCertificate } from '../root-certificate.ts';
import type { FirmwareSource } from './firmware-source.ts';

export interface HttpsSourceOptions {
  readonly host: string;
  /** Port of HTTPS; 8443 by default. */
  readonly port?: number;
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  /** Left out where a certificate proves the device. */
  readonly token?: string;
  /** PEM of the client certificate that is in use, with its chain, and of its key. */
  readonly certificate?: () => { readonly cert: string; readonly key: string };
  /** Root to trust, PEM or path; the authorities of the runtime if left out. */
  readonly ca?: string;
}

const SILENCE = 30_000;

/** Reads the repository over verified HTTPS; a download that broke off is continued with a range request. */
export function httpsSource(options: HttpsSourceOptions): FirmwareSource {
  const { host, port = 8443, organisation, type, id, token, certificate, ca } = options;
  const where = `${host}:${port}`;
  return {
    async read(path, offset) {
      const root = ca === undefined ? {} : { ca: await rootCertificate(ca) };
      const sent = request({
        host,
        port,
        path: `/firmware/${organisation}/${path}`,
        agent: false,
        minVersion: 'TLSv1.2',
        timeout: SILENCE,
        ...root,
        ...(token === undefined ? {} : { auth: `${organisation}/${type}/${id}:${token}` }),
        ...certificate?.(),
        headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.end();
      const [response] = (await once(sent, 'response').catch((cause: unknown) => {
        throw new Failure('server_unreachable', `No answer came from ${where}: ${(cause as Error).message}.`, {
          cause,
        });
      })) as [IncomingMessage];
      const { statusCode = 0 } = response;
      if (statusCode === 404) {
        response.resume();
        return undefined;
      }
      if (statusCode !== (offset > 0 ? 206 : 200)) throw await refusal(response, path);
      return bytesOf(response, where);
    },
  };
}

async function* bytesOf(response: IncomingMessage, where: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (cause) {
    throw new Failure('connection_lost', `The download from ${where} broke off.`, { cause });
  }
}

async function refusal(response: IncomingMessage, path: string): Promise<Failure> {
  let text = '';
  for await (const chunk of response) if (text.length < 16_384) text += String(chunk);
  const { statusCode } = response;
  let detail = `status ${statusCode}`;
  let cure: { cure?: string } = {};
  try {
    const problem = JSON.parse(text) as { detail?: string; cure?: string; ticket?: string };
    detail = `${problem.detail ?? detail}${problem.ticket === undefined ? '' : ` (ticket ${problem.ticket})`}`;
    cure =
      problem.ticket === undefined
        ? {}
        : { cure: `Run \`sallyport explain ${problem.ticket}\` where the server runs.` };
  } catch {
    // Not from a Sallyport server; the status says what there is to say.
  }
  const code = statusCode === 401 ? 'unauthenticated' : statusCode === 403 ? 'forbidden' : 'connection_lost';
  return new Failure(code, `${path} was not handed out: ${detail}`, cure);
}
