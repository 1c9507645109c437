import type { x509 as Library } from './x509-library.ts';
import { x509 } from './x509-library.ts';

/** Where a certificate says that news of its revocation is to be had. */
export interface RevocationPointers {
  /** URLs of revocation lists (RFC 5280 section 4.2.1.13). */
  readonly lists: readonly string[];
  /** URLs of OCSP responders (RFC 5280 section 4.2.2.1). */
  readonly responders: readonly string[];
}

/** What is written into a certificate that is issued. */
export interface PublishedAt {
  readonly list: string;
  readonly responder: string;
  /** Where the certificate of the issuer itself lies. */
  readonly issuer: string;
}

/** Each of these costs a request, and a certificate's author chose them. */
const POINTERS_MAXIMUM = 4;

export function revocationPointers(certificate: Library.X509Certificate): RevocationPointers {
  const points = certificate.getExtension(x509.CRLDistributionPointsExtension)?.distributionPoints ?? [];
  const access = certificate.getExtension(x509.AuthorityInfoAccessExtension)?.ocsp ?? [];
  const lists = points
    // A list for some reasons only, or by another issuer, is not the whole truth.
    .filter(({ reasons, cRLIssuer }) => !reasons && !cRLIssuer?.length)
    .flatMap(({ distributionPoint }) => distributionPoint?.fullName ?? [])
    .map(({ uniformResourceIdentifier }) => uniformResourceIdentifier);
  const responders = access.filter(({ type }) => type === 'url').map(({ value }) => value);
  return { lists: reachable(lists), responders: reachable(responders) };
}

function reachable(urls: readonly (string | undefined)[]): string[] {
  return urls
    .filter((url) => url !== undefined && /^https?:\/\/.{1,500}$/i.test(url))
    .slice(0, POINTERS_MAXIMUM) as string[];
}

export function pointerExtensions({ list, responder, issuer }: PublishedAt): Library.Extension[] {
  return [
    new x509.CRLDistributionPointsExtension([list]),
    new x509.AuthorityInfoAccessExtension({
      ocsp: new x509.GeneralName('url', responder),
      caIssuers: new x509.GeneralName('url', issuer),
    }),
  ];
}
