import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createRootAuthority, generateKeyPair, issueServerCertificate, keyPairToPem } from '@sallyport/trust';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** An HTTPS server on a free port with a certificate of its own root; answers what `reply` says and keeps what it saw. */
export async function httpsServer(
  reply: (seen: Seen) => Reply,
  names: { readonly dnsNames: readonly string[]; readonly ipAddresses?: readonly string[] } = {
    dnsNames: ['localhost'],
  },
) {
  const now = Date.now();
  const authority = await createRootAuthority({ commonName: 'Test root', now, validity: 3_600_000 });
  const keys = await generateKeyPair();
  const certificate = await issueServerCertificate({
    authority,
    publicKey: keys.publicKey,
    now,
    validity: 1_800_000,
    ...names,
  });
  const seen: Seen[] = [];
  const server: Server = createServer(
    { key: await keyPairToPem(keys), cert: certificate.chainPem },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
        seen.push(one);
        const { status = 200, type = 'application/json', body = {}, headers: more = {} } = reply(one);
        response.writeHead(status, { 'content-type': type, ...more });
        response.end(status === 204 ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    root: authority.pem,
    seen,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
