import type { Principal, SecurityLevel, UnlockChannel, UnlockSettings } from '@sallyport/model';

/** A credential with its hash: for authenticators only. Times are milliseconds since the epoch. */
export interface StoredCredential {
  readonly id: string;
  readonly kind: 'token' | 'password' | 'scram';
  /** HMAC of a token, or argon2id string of a password. */
  readonly hash: Buffer | string;
  readonly username?: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly revokedBy?: string;
}

/** What a device has to prove beyond who it is, and to whom its codes go. */
export interface UnlockDemand extends Omit<UnlockSettings, 'mode' | 'channels'> {
  readonly channels: readonly UnlockChannel[];
  /** Mail address. */
  readonly owner?: string;
}

/** Everything that an authenticator asks of a principal. */
export interface StoredPrincipal {
  readonly principal: Principal;
  readonly roles: readonly string[];
  readonly suspendedAt?: number;
  readonly organisationSuspendedAt?: number;
  /** The device type's level if it has one, else the organisation's. */
  readonly security: SecurityLevel;
  /** Devices and gateways that have to give a one-time code; absent: none is asked for. */
  readonly unlock?: UnlockDemand;
  /** Newest first; the ended ones too, so that a refusal can say by whom and when. */
  readonly credentials: readonly StoredCredential[];
  /** Applications only. */
  readonly key?: string;
}

/** An answer that is given at once where it can be. */
export type Answer<T> = T | Promise<T>;

/**
 * Finds principals for the authenticators. An answer that is cached needs no turn of the event loop. What is answered is never
 * older than the last change of the registry. Rejects with the failure `store_unavailable`: then nobody may be let in.
 */
export interface Lookup {
  /** By written form, for example `device:demo/pump/pump-7` or `operator:ann`. */
  byPrincipal(name: string): Answer<StoredPrincipal | undefined>;
  byUsername(username: string): Answer<StoredPrincipal | undefined>;
  byApplicationKey(key: string): Answer<StoredPrincipal | undefined>;
  organisationExists(id: string): Answer<boolean>;
}
