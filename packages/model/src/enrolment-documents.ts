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

/** An unknown device with a certificate of a trusted authority, that waits for an operator. */
export interface PendingDeviceDocument {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  /** SHA-256 of the authority. */
  readonly authority: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly address: string;
  readonly firstAt: string;
  readonly lastAt: string;
}
