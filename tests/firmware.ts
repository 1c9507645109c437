import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:https';
import type { TestServer } from './server.ts';

/** Bytes that no other test has. */
export function someImage(size = 100_000): Buffer {
  return randomBytes(size);
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Uploads an image and makes it a release of the organisation `demo`. */
export async function released(
  { api }: Pick<TestServer, 'api'>,
  image: Buffer,
  release: {
    readonly version: string;
    readonly type?: string;
    readonly sequence?: number;
    readonly minimumSequence?: number;
  },
) {
  const digest = digestOf(image);
  const size = image.length;
  for (let offset = 0; offset < size; offset += 500_000) {
    const bytes = new Uint8Array(image.subarray(offset, offset + 500_000));
    await api.firmware.upload('demo', { digest, size, offset, bytes });
  }
  return api.firmware.release('demo', { type: 'pump', digest, size, ...release });
}

export interface Fetched {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

/** Asks the door for firmware as a device, by name and token. */
export function fetchFirmware(
  server: TestServer,
  path: string,
  {
    as,
    token,
    headers = {},
    certificate = {},
    port = server.httpPort,
  }: {
    as?: string;
    token?: string;
    headers?: Record<string, string>;
    certificate?: { cert?: string; key?: string };
    port?: number;
  },
): Promise<Fetched> {
  const auth = as === undefined ? {} : { auth: `${as}:${token ?? ''}` };
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: server.host, port, path, ca: server.rootPem, headers, agent: false, ...auth, ...certificate },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
