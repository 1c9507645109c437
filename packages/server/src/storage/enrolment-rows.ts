/*
 * Rows of what devices enrol with, as they lie on disk; see tables.ts for how they are read.
 */

export interface EnrolmentCodesTable {
  id: string;
  organisation: string;
  principal: string;
  /** HMAC of the code, lower-case hexadecimal. */
  code_hash: string;
  attempts: number;
  created_at: number;
  created_by: string;
  expires_at: number;
  used_at: number | null;
}

interface ClaimsTable {
  /** Id of the certificate. */
  certificate: string;
  organisation: string;
  type: string;
  maximum: number;
  used: number;
}

export interface PendingDevicesTable {
  organisation: string;
  type: string;
  id: string;
  /** SHA-256 of the trusted authority that the certificate led to. */
  authority: string;
  /** SHA-256 of the certificate. */
  fingerprint: string;
  address: string;
  first_at: number;
  last_at: number;
}

export interface EnrolmentTables {
  enrolment_codes: EnrolmentCodesTable;
  claims: ClaimsTable;
  pending_devices: PendingDevicesTable;
}
