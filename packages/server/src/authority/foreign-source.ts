import type { CertificateFacts } from '@sallyport/trust';

/** A certificate of an imported authority, and who vouches for it. */
export interface ForeignCertificate {
  /** SHA-256 of the trusted authority at the end of its chain: news counts below that authority and nowhere else. */
  readonly authority: string;
  readonly certificate: CertificateFacts;
  /** The certificate above it. */
  readonly issuer: CertificateFacts;
}

/** Whose list it is, and where it lies. */
export interface ListPlace {
  /** SHA-256 of the trusted authority below which it counts. */
  readonly authority: string;
  /** DER of the certificate whose key signs the list. */
  readonly issuer: Uint8Array;
  readonly issuerNameHash: string;
  readonly url: string;
}

/** What an authority says of a certificate. `why` completes "it is not known whether it is revoked: …". */
export type ForeignStatus =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly revokedAt: number; readonly url: string }
  | { readonly status: 'unknown'; readonly why: string };

export type ForeignEvent =
  | {
      readonly type: 'revocation.failing';
      readonly authority: string;
      readonly url: string;
      readonly problem: string;
      readonly usableUntil?: number;
    }
  | { readonly type: 'revocation.recovered'; readonly authority: string; readonly url: string };

/** How long a client that comes first waits for news that was never fetched before. Others go on meanwhile. Milliseconds. */
export const FIRST_WAIT = 4000;

/** What comes in time, or what is said instead. */
export async function within<T>(work: Promise<T>, milliseconds: number, late: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const bell = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late), milliseconds);
  });
  return Promise.race([work, bell]).finally(() => clearTimeout(timer));
}
