import type { FailureCode } from './failure.ts';
import type { CommandProtection, PayloadEncryption } from './protection.ts';
import type { RevocationPolicy, RevocationSourceDocument } from './revocation.ts';
import type { SecurityLevel } from './security-level.ts';
import type { TypeLimits } from './type-limits.ts';
import type { UnlockMode, UnlockSettings } from './unlock.ts';

/*
 * The documents of the HTTPS API (/api/v1), as server and clients agree on them.
 * Every time is ISO 8601 in UTC. A key that has no value is absent, never null.
 */

/** The forms in which an API call can fail, as `application/problem+json` (RFC 9457). */
export interface Problem {
  /** Reference to the page that explains the code, for example `/docs/failures#not_found`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: FailureCode;
  /** What happened, to what. */
  readonly detail: string;
  /** What to do next. */
  readonly cure: string;
  /** Where the refusal is explained, if there is a ticket. */
  readonly instance?: string;
  readonly ticket?: string;
  /** The fields that do not fit, for example `body/security`. */
  readonly errors?: readonly FieldProblem[];
}

export interface FieldProblem {
  readonly path: string;
  readonly problem: string;
  /** Position in a text that was sent; counted from 1. */
  readonly line?: number;
  readonly column?: number;
  readonly cure?: string;
}

/** A part of a list. Ask again with `after: next` for what follows; without `next` the list is complete. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** What the API says about itself to anybody: coarse on purpose. */
export interface Health {
  readonly status: 'ok' | 'failing';
  readonly parts: Readonly<Record<string, 'ok' | 'failing'>>;
}

/** What one may note about a thing; the server stores it and does not look at it. At most 16 KiB as JSON. */
export type Metadata = Readonly<Record<string, unknown>>;

/** What operators may do, the one who may most first. A reader changes nothing, an operator runs devices and applications. */
export const OPERATOR_ROLES = ['administrator', 'operator', 'reader'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

export interface OrganisationDocument {
  readonly id: string;
  readonly name: string;
  /** Connection security of every device type that has none of its own. */
  readonly security: SecurityLevel;
  readonly createdAt: string;
  readonly suspendedAt?: string;
}

export interface DeviceTypeDocument {
  readonly organisation: string;
  readonly id: string;
  readonly class: 'device' | 'gateway';
  readonly description?: string;
  /** Absent: the organisation's. */
  readonly security?: SecurityLevel;
  /** Absent: no one-time code is asked for. */
  readonly unlock?: UnlockSettings;
  /** Mail address of whoever owns the devices that have no owner of their own. */
  readonly owner?: string;
  /** Absent: `any`. */
  readonly commands?: CommandProtection;
  /** Absent: `optional`. */
  readonly encryption?: PayloadEncryption;
  /** Bounds of its own; what is left out is as the configuration says. */
  readonly limits?: TypeLimits;
  readonly metadata?: Metadata;
  readonly createdAt: string;
}

export interface DeviceDocument {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  readonly class: 'device' | 'gateway';
  /** Written form, for policies, `explain` and the audit trail. */
  readonly principal: string;
  /** Client id to connect with. */
  readonly clientId: string;
  readonly description?: string;
  readonly metadata?: Metadata;
  readonly gatewayRole?: 'standard' | 'privileged';
  /** Absent: as the device type says. */
  readonly unlock?: UnlockMode;
  /** Mail address of its owner; absent: as the device type says. */
  readonly owner?: string;
  readonly createdAt: string;
  readonly suspendedAt?: string;
}

export interface ApplicationDocument {
  readonly organisation: string;
  readonly id: string;
  readonly principal: string;
  readonly clientId: string;
  /** User name to connect with. */
  readonly key: string;
  readonly role: string;
  readonly description?: string;
  readonly createdAt: string;
  readonly suspendedAt?: string;
}

export interface OperatorDocument {
  readonly id: string;
  readonly role: OperatorRole;
  readonly createdAt: string;
  readonly suspendedAt?: string;
}

/** A credential without its secret: the server cannot show that again. */
export interface CredentialDocument {
  readonly id: string;
  readonly principal: string;
  readonly kind: 'token' | 'password' | 'scram';
  readonly username?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
  readonly revokedBy?: string;
}

/** A certificate authority whose client certificates an organisation takes. */
export interface AuthorityDocument {
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly id: string;
  readonly subject: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** The one of this server; it cannot be removed, and what it issued counts only if it is on record. */
  readonly builtIn: boolean;
  /** Of this server: SHA-256 of the one that signs in its place, while it still vouches for what it signed. */
  readonly succeededBy?: string;
  readonly pem: string;
  /** Imported ones only: what becomes of an unknown device that it has certified. */
  readonly registration?: 'off' | 'review' | 'automatic';
  /** Imported ones only: of what this server issued it knows itself. */
  readonly revocation?: RevocationPolicy;
  /** How its revocation lists stand, where one authority was asked for. */
  readonly lists?: readonly RevocationSourceDocument[];
  readonly createdAt?: string;
  readonly createdBy?: string;
}

/** What is on record of a client certificate. */
export interface CertificateDocument {
  readonly id: string;
  readonly organisation: string;
  /** Written form; absent for a foreign one and for a claim. */
  readonly principal?: string;
  /** Issued by this server, pinned to its principal, a claim that only enrols, or foreign: of a trusted authority and revoked. */
  readonly kind: 'issued' | 'pinned' | 'foreign' | 'claim';
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly issuer: string;
  readonly subject?: string;
  /** SHA-256, lower-case hexadecimal. */
  readonly fingerprint?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly revokedAt?: string;
  readonly revokedBy?: string;
}

/** Answer to a certificate that was issued. Nothing in it is a secret: the key never left whoever asked. */
export interface IssuedCertificateDocument {
  readonly certificate: CertificateDocument;
  readonly pem: string;
  /** With the authorities above it, without the root: what the client presents. */
  readonly chainPem: string;
}

/** Answer to a credential that was issued. `token` is shown this once. */
export interface IssuedCredential {
  readonly credential: CredentialDocument;
  readonly token?: string;
}

export interface NewDevice {
  readonly device: DeviceDocument;
  readonly credentials: readonly CredentialDocument[];
  /** Shown this once. */
  readonly token?: string;
}

export interface NewApplication {
  readonly application: ApplicationDocument;
  readonly credentials: readonly CredentialDocument[];
  /** Shown this once. */
  readonly token?: string;
}

export interface NewOperator {
  readonly operator: OperatorDocument;
  readonly credentials: readonly CredentialDocument[];
  /** Shown this once. */
  readonly token?: string;
}

/** An organisation's own statements. Version 0 is the empty policy that every organisation begins with. */
export interface PolicyVersionDocument {
  readonly organisation: string;
  readonly version: number;
  readonly text: string;
  readonly savedAt?: string;
  readonly savedBy?: string;
}

export interface PolicyCheck {
  readonly ok: boolean;
  readonly problems: readonly FieldProblem[];
  /** Statements that are right and open very much: which, and what they open. */
  readonly broad: readonly { readonly id: string; readonly why: string }[];
}

export interface AuditDocument {
  /** Grows by one with each row; the cursor of the list. */
  readonly sequence: number;
  readonly at: string;
  readonly type: string;
  readonly outcome?: string;
  readonly by?: string;
  readonly target?: string;
  readonly organisation?: string;
  readonly principal?: string;
  readonly address?: string;
  readonly ticket?: string;
  readonly details?: Metadata;
}

export interface SessionDocument {
  readonly organisation: string;
  readonly clientId: string;
  readonly principal: string;
  readonly connected: boolean;
  /** `pending`: it waits for its one-time code and may use nothing but its unlock topics. */
  readonly assurance?: 'full' | 'pending';
  readonly protocolVersion?: number;
  readonly address?: string;
  readonly transport?: 'tcp' | 'tls' | 'ws' | 'wss';
  readonly secure?: boolean;
  readonly connectedAt?: string;
  /** What its client has shown of who it is. */
  readonly proofs?: readonly ('certificate' | 'token')[];
  /** How many subscriptions it has. */
  readonly subscriptions?: number;
  /** How many messages wait for it. */
  readonly queued?: number;
}
