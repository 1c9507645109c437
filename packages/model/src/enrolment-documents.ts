import type { CertificateDocument } from './management.ts';

/** Answer to a new enrolment code. `code` is shown this once. */
export interface NewEnrolmentCode {
  readonly principal: string;
  /** User name of HTTP Basic. */
  readonly user: string;
  readonly code: string;
  readonly expiresAt: string;
}

/** A claim certificate, and what it may enrol. */
export interface ClaimDocument {
  readonly certificate: CertificateDocument;
  readonly type: string;
  readonly maximum: number;
  readonly used: number;
}

/** Answer to a claim certificate that was issued. Nothing in it is a secret: the key never left whoever asked. */
export interface NewClaimDocument {
  readonly claim: ClaimDocument;
  readonly pem: string;
  readonly chainPem: string;
}
