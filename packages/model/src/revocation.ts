/** What is asked about the certificates of an imported authority before one of them counts. */
export const REVOCATION_MODES = ['off', 'crl', 'ocsp', 'crl-and-ocsp'] as const;
export type RevocationMode = (typeof REVOCATION_MODES)[number];

/** What holds while it cannot be known whether a certificate is revoked: it does not count, or it does. */
export const ON_UNKNOWN = ['hard', 'soft'] as const;
export type OnUnknown = (typeof ON_UNKNOWN)[number];

/** How revocation is looked at below an imported authority. */
export interface RevocationPolicy {
  readonly mode: RevocationMode;
  readonly onUnknown: OnUnknown;
  /** Lies at this URL rather than where certificates say: the list of the authority itself. */
  readonly listUrl?: string;
  /** Answers at this URL rather than where certificates say. */
  readonly responderUrl?: string;
}

/** A change of it: what is left out stays as it is, `null` ends a URL. */
export interface RevocationChange {
  readonly mode?: RevocationMode;
  readonly onUnknown?: OnUnknown;
  readonly listUrl?: string | null;
  readonly responderUrl?: string | null;
}

/** A revocation list of an imported authority, as it was last fetched. */
export interface RevocationSourceDocument {
  readonly url: string;
  readonly thisUpdate?: string;
  readonly nextUpdate?: string;
  /** How many certificates it names. */
  readonly revoked?: number;
  /** Why the last attempt to fetch it failed. */
  readonly problem?: string;
}
