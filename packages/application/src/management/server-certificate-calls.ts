import type { ServerCertificateDocument, ServerCertificateRequestDocument } from '@sallyport/model';
import type { Caller } from './caller.ts';

/** A certificate chain and its private key, in PEM; the key without a passphrase. */
export interface ServerCertificateRequest {
  readonly chain: string;
  /** Left out: the certificate is for the key of the server, as `request` asked for. */
  readonly key?: string;
}

/** The certificate that the server shows; with an organisation, that for its host names. */
export function serverCertificateCalls(caller: Caller) {
  const path = (organisation: string | undefined) =>
    organisation === undefined ? ['server-certificate'] : ['organisations', organisation, 'server-certificate'];
  return {
    get: (organisation?: string) => caller.json<ServerCertificateDocument>('GET', path(organisation)),
    /** Every listener shows it from the next handshake on. */
    set: (body: ServerCertificateRequest, organisation?: string) =>
      caller.json<ServerCertificateDocument>('PUT', path(organisation), { body }),
    /** A PKCS#10 request for the key of the server, which stays there; with the names of its own certificate if none are given. */
    request: (body: { readonly names?: readonly string[] } = {}) =>
      caller.json<ServerCertificateRequestDocument>('POST', ['server-certificate', 'request'], { body }),
    /** Forgets an imported one; answers what is shown in its place. */
    reset: (organisation?: string) => caller.json<ServerCertificateDocument>('DELETE', path(organisation)),
  };
}
