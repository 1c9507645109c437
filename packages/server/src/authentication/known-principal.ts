import type { Principal, SecurityLevel, UnlockChannel } from '@sallyport/model';

/** A credential on record, as far as judging a secret needs it. */
export interface KnownCredential {
  readonly id: string;
  readonly kind: 'token' | 'password' | 'scram';
  /** HMAC-SHA256 of a token, the encoded argon2id hash of a password, or the verifiers of one for SCRAM. */
  readonly hash: Uint8Array | string;
  readonly username?: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly revokedBy?: string;
}

/** What a device has to prove beyond who it is, and to whom its codes go. */
export interface UnlockDemand {
  readonly channels: readonly UnlockChannel[];
  readonly publishedFlow?: boolean;
  readonly allowCodeInReply?: boolean;
  /** Mail address. */
  readonly owner?: string;
}

/** What the registry knows of a principal that somebody claims to be. Times in milliseconds since the epoch. */
export interface KnownPrincipal {
  readonly principal: Principal;
  readonly roles: readonly string[];
  readonly suspendedAt?: number;
  readonly organisationSuspendedAt?: number;
  /** Effective connection security: the device type's, else the organisation's. */
  readonly security: SecurityLevel;
  /** Devices and gateways that have to give a one-time code; absent: none is asked for. */
  readonly unlock?: UnlockDemand;
  /** Newest first, ended ones included. */
  readonly credentials: readonly KnownCredential[];
}

/** Undefined if there is none. Answers without a promise when it can, so that most logins cost no turn of the event loop. */
export type Find = (name: string) => KnownPrincipal | undefined | Promise<KnownPrincipal | undefined>;

/** Tokens that the platform issues or checks the form of: high entropy, so a keyed hash is enough (see `@sallyport/trust/secrets`). */
export interface TokenMatcher {
  matches(token: Uint8Array | string, hash: Uint8Array): boolean;
}
