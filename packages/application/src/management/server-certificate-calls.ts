import type { ServerCertificateDocument } from '@sallyport/model';
import type { Caller } from './caller.ts';

/** A certificate chain and its private key, in PEM; the key without a passphrase. */
export interface ServerCertificateRequest {
  readonly chain: string;
  readonly key: string;
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
    /** Forgets an imported one; answers what is shown in its place. */
    reset: (organisation?: string) => caller.json<ServerCertificateDocument>('DELETE', path(organisation)),
  };
}
