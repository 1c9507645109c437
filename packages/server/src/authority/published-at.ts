import type { CertificateFacts, PublishedAt } from '@sallyport/trust';

/** Paths at which this server answers everybody, below its public URL. */
export const PUBLISHED_PATHS = { list: '/pki/crl', authority: '/pki/ca', responder: '/pki/ocsp' } as const;

const ID_LENGTH = 16;
const NONE = 'none';

/** Names an authority in URLs: the first digits of its SHA-256, as `sallyport ca list` shows them. */
export function publishedId({ fingerprintSha256 }: Pick<CertificateFacts, 'fingerprintSha256'>): string {
  return fingerprintSha256.slice(0, ID_LENGTH);
}

/** What certificates of an issuer say about where news of their revocation is; undefined if the public URL is `none`. */
export function publishedAt(publicUrl: string): (issuer: CertificateFacts) => PublishedAt | undefined {
  const url = publicUrl.replace(/\/+$/, '');
  return (issuer) => {
    if (url === NONE) return undefined;
    const id = publishedId(issuer);
    return {
      list: `${url}${PUBLISHED_PATHS.list}/${id}.crl`,
      issuer: `${url}${PUBLISHED_PATHS.authority}/${id}.crt`,
      responder: `${url}${PUBLISHED_PATHS.responder}`,
    };
  };
}
