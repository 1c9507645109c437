import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { Failure } from '@sallyport/model';
import { ANSWER_TIMEOUT, type IncomingAnswer, LARGEST_ANSWER, type ManagementTransport } from './transport.ts';
import { transportFailure } from './transport-failure.ts';

/**
 * Sends with node:https, so that the root to trust can be given: `ca` is PEM text or the path of a PEM file; without it the
 * roots of the system hold. Verification cannot be switched off.
 */
export function nodeTransport(ca?: string): ManagementTransport {
  let agent: Agent | undefined;
  const ready = async () => {
    const root = ca === undefined ? undefined : await pemText(ca);
    agent ??= new Agent({
      keepAlive: true,
      maxSockets: 16,
      minVersion: 'TLSv1.2',
      ...(root !== undefined && { ca: root }),
    });
    return agent;
  };
  return {
    async send(outgoing) {
      const { method, url, headers, body } = outgoing;
      const through = agent ?? (await ready());
      return new Promise<IncomingAnswer>((resolve, reject) => {
        const fail = (error: Error) => reject(transportFailure(error, url.host));
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
        const outgoingRequest = request(url, {
          method,
          headers: { ...headers, ...length },
          agent: through,
          timeout: ANSWER_TIMEOUT,
        });
        outgoingRequest.on('timeout', () =>
          outgoingRequest.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
        );
        outgoingRequest.on('error', fail);
        outgoingRequest.on('response', (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > LARGEST_ANSWER) response.destroy(new Error('the answer is too large'));
            else chunks.push(chunk);
          });
          response.on('error', fail);
          response.on('end', () => {
            const header = (name: string) => {
              const value = response.headers[name];
              return Array.isArray(value) ? value.join(', ') : value;
            };
            resolve({ status: response.statusCode ?? 0, header, text: Buffer.concat(chunks).toString('utf8') });
          });
        });
        outgoingRequest.end(body);
      });
    },
    close() {
      agent?.destroy();
      agent = undefined;
    },
  };
}

async function pemText(ca: string): Promise<string> {
  const text = ca.includes('-----BEGIN') ? ca : await readPem(ca);
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Failure('key_material_invalid', 'The root certificate to trust is not in PEM form.', {
    cure: 'Give the path of pki/root.pem of the server, or its text.',
  });
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Failure('key_material_invalid', `The root certificate ${path} cannot be read.`, {
      cause,
      cure: 'Give the path of pki/root.pem of the server, or its text.',
    });
  }
}
