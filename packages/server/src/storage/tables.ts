import type { Generated } from 'kysely';
import type { EnrolmentTables } from './enrolment-rows.ts';
import type { ListTables } from './list-tables.ts';
import type { OauthTables } from './oauth-tables.ts';

/*
 * The rows as they lie on disk. Times are milliseconds since the epoch; JSON is text. Whoever reads a row turns numbers through
 * `Number` and bytes through `Buffer`: the drivers do not agree on how they give them.
 */

export interface OrganisationsTable {
  id: string;
  name: string;
  security: string;
  created_at: number;
  suspended_at: number | null;
}

export interface DeviceTypesTable {
  organisation: string;
  id: string;
  class: string;
  description: string | null;
  security: string | null;
  metadata: string | null;
  commands: string | null;
  encryption: string | null;
  created_at: number;
  /** JSON. */
  unlock: string | null;
  owner: string | null;
  /** JSON. */
  limits: string | null;
}

export interface DevicesTable {
  organisation: string;
  type: string;
  id: string;
  class: string;
  description: string | null;
  metadata: string | null;
  gateway_role: string | null;
  created_at: number;
  suspended_at: number | null;
  unlock: string | null;
  owner: string | null;
}

export interface ApplicationsTable {
  organisation: string;
  id: string;
  key: string;
  role: string;
  description: string | null;
  created_at: number;
  suspended_at: number | null;
}

export interface OperatorsTable {
  id: string;
  role: string;
  created_at: number;
  suspended_at: number | null;
}

export interface CredentialsTable {
  id: string;
  /** Orders credentials that were made in the same millisecond. */
  sequence: Generated<number>;
  principal: string;
  kind: string;
  username: string | null;
  /** HMAC of a token. */
  token_hash: Uint8Array | null;
  /** argon2id string of a password. */
  password_hash: string | null;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  revoked_at: number | null;
  revoked_by: string | null;
}

export interface PoliciesTable {
  organisation: string;
  version: number;
  text: string;
  created_at: number;
  created_by: string;
}

export interface AuditTable {
  sequence: Generated<number>;
  at: number;
  type: string;
  by: string | null;
  target: string | null;
  organisation: string | null;
  principal: string | null;
  address: string | null;
  outcome: string | null;
  ticket: string | null;
  details: string | null;
}

export interface RefusalsTable {
  ticket: string;
  at: number;
  last_at: number;
  count: number;
  action: string;
  reason: string;
  organisation: string | null;
  principal: string | null;
  client_id: string | null;
  address: string | null;
  /** The whole refusal as JSON. */
  document: string;
}

export interface AuthoritiesTable {
  organisation: string;
  /** SHA-256 of the DER, lower-case hexadecimal; so are the other hashes. */
  fingerprint: string;
  /** DER. */
  certificate: Uint8Array;
  subject: string;
  subject_name_hash: string;
  not_before: number;
  not_after: number;
  created_at: number;
  created_by: string;
  revocation: Generated<string>;
  on_unknown: Generated<string>;
  list_url: string | null;
  responder_url: string | null;
  /** `off`, `review` or `automatic`. */
  registration: string;
}

export interface CertificatesTable {
  sequence: Generated<number>;
  id: string;
  organisation: string;
  principal: string | null;
  kind: string;
  fingerprint: string | null;
  issuer_name_hash: string;
  issuer: string;
  serial: string;
  subject: string | null;
  not_before: number | null;
  not_after: number | null;
  created_at: number;
  created_by: string;
  revoked_at: number | null;
  revoked_by: string | null;
}

export interface RevokedCertificatesTable {
  sequence: Generated<number>;
  issuer_name_hash: string;
  serial: string;
  not_after: number;
  revoked_at: number;
}

export interface FirmwareRolloutsTable {
  sequence: Generated<number>;
  id: string;
  organisation: string;
  type: string;
  version: string;
  percent: number;
  halt_above: number;
  state: string;
  cause: string | null;
  created_at: number;
  created_by: string;
}

export interface IssuersTable {
  organisation: string;
  id: string;
  version: number;
  /** Settings as JSON. */
  document: string;
  created_at: number;
  created_by: string;
}

export interface FirmwareRolloutDevicesTable {
  rollout: string;
  device: string;
  state: string;
  detail: string | null;
  updated_at: number;
}

export interface AuthenticatorsTable {
  principal: string;
  /** Sealed. */
  secret: Uint8Array;
  /** Time step of the last code that was taken; -1: none yet. */
  last_step: number;
  created_at: number;
  created_by: string;
}

export interface IdentitiesTable {
  sequence: Generated<number>;
  /** Beginning of the SHA-256 of the keys, Base64url. */
  key_id: string;
  organisation: string;
  principal: string;
  /** `EdDSA` or `ES256`. */
  algorithm: string;
  signing_key: Uint8Array;
  sealing_key: Uint8Array | null;
  not_before: number;
  not_after: number;
  created_at: number;
  created_by: string;
  revoked_at: number | null;
  revoked_by: string | null;
}

/** Every table of `registry.db`. */
export interface Tables extends OauthTables, ListTables {}

export interface Tables extends EnrolmentTables, OauthTables {
  organisations: OrganisationsTable;
  device_types: DeviceTypesTable;
  devices: DevicesTable;
  applications: ApplicationsTable;
  operators: OperatorsTable;
  credentials: CredentialsTable;
  policies: PoliciesTable;
  authorities: AuthoritiesTable;
  certificates: CertificatesTable;
  revoked_certificates: RevokedCertificatesTable;
  firmware_rollouts: FirmwareRolloutsTable;
  firmware_rollout_devices: FirmwareRolloutDevicesTable;
  authenticators: AuthenticatorsTable;
  identities: IdentitiesTable;
  issuers: IssuersTable;
  audit: AuditTable;
  refusals: RefusalsTable;
}
