import type {
  CommandProtection,
  IssuerSettings,
  Metadata,
  OperatorRole,
  PayloadEncryption,
  RevocationPolicy,
  SecurityLevel,
  TypeLimits,
  UnlockMode,
  UnlockSettings,
} from '@sallyport/model';

export type DeviceClass = 'device' | 'gateway';
export type GatewayRole = 'standard' | 'privileged';

/** Roles of applications (watson-iot.md section 3.6). What each may do is written in the built-in policy. */
export const APPLICATION_ROLES = [
  'standard',
  'operations',
  'backend-trusted',
  'data-processor',
  'visualization',
  'device',
] as const;
export type ApplicationRole = (typeof APPLICATION_ROLES)[number];

/** The tenant: a namespace of its own. All times are milliseconds since the epoch. */
export interface Organisation {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly suspendedAt?: number;
  /** Connection security of every device type and application that does not say otherwise. */
  readonly security: SecurityLevel;
}

/** A kind of device. Its class decides whether its members are devices or gateways and never changes. */
export interface DeviceType {
  readonly organisation: string;
  readonly id: string;
  readonly class: DeviceClass;
  readonly description?: string;
  /** Absent: the organisation's. */
  readonly security?: SecurityLevel;
  /** Absent: no one-time code is asked for. */
  readonly unlock?: UnlockSettings;
  /** Mail address of whoever owns its devices. */
  readonly owner?: string;
  /** Absent: `any`. */
  readonly commands?: CommandProtection;
  /** Absent: `optional`. */
  readonly encryption?: PayloadEncryption;
  /** Bounds of its own; what is left out is as the configuration says. */
  readonly limits?: TypeLimits;
  readonly metadata?: Metadata;
  readonly createdAt: number;
}

/** A device or gateway. */
export interface Device {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  readonly class: DeviceClass;
  readonly description?: string;
  readonly metadata?: Metadata;
  readonly createdAt: number;
  readonly suspendedAt?: number;
  /** Gateways only. */
  readonly gatewayRole?: GatewayRole;
  /** Absent: as the device type says; so is the owner. */
  readonly unlock?: UnlockMode;
  readonly owner?: string;
}

/** Software that reads events and sends commands. */
export interface Application {
  readonly organisation: string;
  readonly id: string;
  /** User name of the application: `a-ORGANISATION-xxxxxxxxxx`, unique on the server. Not a secret. */
  readonly key: string;
  readonly role: ApplicationRole;
  readonly description?: string;
  readonly createdAt: number;
  readonly suspendedAt?: number;
}

/** A person who runs the platform. */
export interface Operator {
  readonly id: string;
  readonly role: OperatorRole;
  readonly createdAt: number;
  readonly suspendedAt?: number;
}

/** What can prove a principal. The secret itself is never kept, its hash never leaves `Lookup`. */
export interface Credential {
  readonly id: string;
  /** Written form of the principal. */
  readonly principal: string;
  readonly kind: 'token' | 'password' | 'scram';
  /** Passwords only; belongs to one principal of the whole server at a time. */
  readonly username?: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly revokedBy?: string;
}

/** A version of the policy that an organisation adds to the built-in one. */
export interface PolicyVersion {
  readonly organisation: string;
  /** 1, 2, 3, …; the highest is in force. */
  readonly version: number;
  /** YAML or JSON, as it was written. */
  readonly text: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** A certificate authority whose clients' certificates an organisation takes. */
export interface TrustedAuthority {
  readonly organisation: string;
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly der: Uint8Array;
  readonly subject: string;
  /** SHA-256 of the DER of the subject's name. */
  readonly subjectNameHash: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly revocation: RevocationPolicy;
  readonly registration: Registration;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** What becomes of an unknown device whose certificate leads to an authority: refused, noted for an operator, or registered. */
export const REGISTRATIONS = ['off', 'review', 'automatic'] as const;
export type Registration = (typeof REGISTRATIONS)[number];

/**
 * What is on record of a client certificate: `issued` by this server, `pinned` to a principal by its fingerprint, a `claim` that may do
 * nothing but enrol, or `foreign`, of a trusted authority and known here only because it was revoked.
 */
export interface CertificateRecord {
  readonly id: string;
  readonly organisation: string;
  /** Written form of the principal; absent for a foreign one and for a claim. */
  readonly principal?: string;
  readonly kind: 'issued' | 'pinned' | 'foreign' | 'claim';
  readonly fingerprint?: string;
  /** SHA-256 of the DER of the issuer's name. */
  readonly issuerNameHash: string;
  readonly issuer: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly subject?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt?: number;
  readonly revokedBy?: string;
}

/** A public key of an application, for the authorization server. */
export interface ClientKey {
  /** Written form of the application. */
  readonly principal: string;
  readonly kid: string;
  readonly jwk: {
    readonly kid: string;
    readonly alg: string;
    readonly kty: string;
    readonly [parameter: string]: string;
  };
  readonly createdAt: number;
  readonly createdBy: string;
}

/** Public keys of an application, device or gateway, for signed commands and sealed payloads. */
export interface IdentityRecord {
  /** Beginning of the SHA-256 of the keys, Base64url. */
  readonly keyId: string;
  readonly organisation: string;
  /** Written form of the principal. */
  readonly principal: string;
  readonly algorithm: 'EdDSA' | 'ES256';
  readonly signingKey: Uint8Array<ArrayBuffer>;
  readonly sealingKey?: Uint8Array<ArrayBuffer>;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt?: number;
  readonly revokedBy?: string;
}

/** An authorization server whose access tokens an organisation takes. */
export interface Issuer extends IssuerSettings {
  readonly organisation: string;
  readonly id: string;
  readonly version: number;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** What lets a device or gateway have its first certificate, once. The code itself is kept as a hash only. */
export interface EnrolmentCode {
  readonly id: string;
  readonly organisation: string;
  /** Written form of a device or gateway. */
  readonly principal: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly usedAt?: number;
  /** How often it was shown and nothing was issued for it. */
  readonly attempts: number;
}

/** An unknown device with a certificate of a trusted authority, that waits for an operator. */
export interface PendingDevice {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  /** SHA-256 of the authority. */
  readonly authority: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly address: string;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What a claim certificate may enrol: new devices of one type, so many. */
export interface Claim {
  readonly certificate: CertificateRecord;
  readonly type: string;
  readonly maximum: number;
  readonly used: number;
}

/** A new record with its first token. The token is in no other answer, ever. */
export interface Issued<T> {
  readonly record: T;
  readonly credential: Credential;
  readonly token: string;
}

export type RegistryKind =
  | 'organisation'
  | 'type'
  | 'device'
  | 'gateway'
  | 'application'
  | 'operator'
  | 'credential'
  | 'authenticator'
  | 'certificate'
  | 'authority'
  | 'client-key'
  | 'issuer'
  | 'enrolment-code'
  | 'pending-device'
  | 'policy'
  | 'list'
  | 'identity';

/** What has changed, told after it is on disk. Whoever caches or holds rights listens. */
export interface RegistryChange {
  readonly kind: RegistryKind;
  readonly change: 'created' | 'updated' | 'removed' | 'suspended' | 'resumed' | 'revoked';
  readonly organisation?: string;
  /** Written form of the principal that is affected; absent if a whole organisation is. */
  readonly principal?: string;
  readonly credential?: string;
  /** A device type as it is now; present for kind `type`, unless it was removed. */
  readonly type?: DeviceType;
  /** Written form of the operator, or `system`. */
  readonly by: string;
  /** `KIND.CHANGE`, for example `device.created`: the type of the audit row. */
  readonly action: string;
  /** Written form of the thing, for example `device:demo/pump/pump-7` or `policy:demo`. */
  readonly target: string;
}
