import type {
  CommandProtection,
  ListName,
  Metadata,
  OperatorRole,
  PayloadEncryption,
  SecurityLevel,
  TypeLimits,
  UnlockMode,
  UnlockSettings,
} from '@sallyport/model';

/** Names of things, as they are in the paths of the API. */
export interface TypeName {
  readonly organisation: string;
  readonly id: string;
}

export interface DeviceName {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

export interface ApplicationName {
  readonly organisation: string;
  readonly id: string;
}

export interface NewOrganisationRequest {
  readonly id: string;
  readonly name?: string;
  readonly security?: SecurityLevel;
}

export interface NewTypeRequest extends TypeName {
  readonly class?: 'device' | 'gateway';
  readonly description?: string;
  readonly security?: SecurityLevel;
  readonly unlock?: UnlockSettings;
  /** Mail address. */
  readonly owner?: string;
  readonly commands?: CommandProtection;
  readonly encryption?: PayloadEncryption;
  readonly limits?: TypeLimits;
  readonly metadata?: Metadata;
}

/** What is left out stays, `null` clears. */
export interface TypeChange {
  readonly description?: string | null;
  readonly security?: SecurityLevel | null;
  readonly unlock?: UnlockSettings | null;
  readonly owner?: string | null;
  readonly commands?: CommandProtection | null;
  readonly encryption?: PayloadEncryption | null;
  /** All of them; what is left out is as the configuration says. */
  readonly limits?: TypeLimits | null;
  readonly metadata?: Metadata | null;
}

/** A user name and password of CONNECT. */
export interface UserNameAndPassword {
  readonly username: string;
  readonly password: string;
  /** For SCRAM over AUTH alone, where the password is never sent. */
  readonly scram?: boolean;
}

/** First credentials of something new. */
export interface FirstCredentials {
  /** Chosen: 8 to 36 characters. Generated if left out. */
  readonly token?: string;
  /** `90d`, `12h`, `30m` or `45s`; never if left out. */
  readonly expiresIn?: string;
  readonly password?: UserNameAndPassword;
}

export interface NewDeviceRequest extends DeviceName, FirstCredentials {
  readonly description?: string;
  readonly metadata?: Metadata;
  readonly gatewayRole?: 'standard' | 'privileged';
  /** As the device type says if left out; so is the owner. */
  readonly unlock?: UnlockMode;
  readonly owner?: string;
  readonly withoutToken?: boolean;
}

/** What is left out stays, `null` clears. */
export interface DeviceChange {
  readonly description?: string | null;
  readonly metadata?: Metadata | null;
  readonly gatewayRole?: 'standard' | 'privileged';
  readonly unlock?: UnlockMode | null;
  readonly owner?: string | null;
}

export interface NewApplicationRequest extends ApplicationName, FirstCredentials {
  /** User name of CONNECT. Generated if left out. */
  readonly key?: string;
  readonly role?: string;
  readonly description?: string;
}

/** What is left out stays, `null` clears. */
export interface ApplicationChange {
  readonly role?: string;
  readonly description?: string | null;
}

export interface NewIdentityRequest {
  /** Written form of an application, device or gateway. */
  readonly principal: string;
  /** Public JWK on Ed25519 or P-256. */
  readonly signingKey: Readonly<Record<string, string>>;
  /** Public JWK on X25519. */
  readonly sealingKey?: Readonly<Record<string, string>>;
  /** `365d` if left out. */
  readonly expiresIn?: string;
  /** Earlier keys end after this time. */
  readonly overlap?: string;
}

export interface NewOperatorRequest {
  readonly id: string;
  readonly role: OperatorRole;
  readonly expiresIn?: string;
}

/** A token, chosen or generated, or a user name and password: one of them. */
export type NewCredentialRequest =
  | { readonly token?: string; readonly expiresIn?: string }
  | { readonly password: UserNameAndPassword; readonly expiresIn?: string };

export interface AuditFilter {
  /** A type, or the beginning of one with `*`: `session.*`. */
  readonly type?: string;
  readonly organisation?: string;
  readonly principal?: string;
  readonly by?: string;
  readonly ticket?: string;
  /** ISO 8601. */
  readonly since?: string;
  readonly until?: string;
  readonly order?: 'newest' | 'oldest';
}

export interface RefusalFilter {
  readonly organisation?: string;
  readonly principal?: string;
  readonly clientId?: string;
  readonly address?: string;
  /** ISO 8601. */
  readonly since?: string;
  readonly until?: string;
}

export interface CertificateFilter {
  readonly principal?: string;
  /** Hexadecimal. */
  readonly serial?: string;
  /** `30d`, `12h`: those in force that end within this time. */
  readonly expiring?: string;
}

export interface ListSettingsRequest {
  readonly active: 'none' | ListName;
  /** Left out: allow with a black list, refuse with a white one. */
  readonly unknownCountry?: 'allow' | 'refuse';
  /** Do it even if it shuts out everybody, or the address of this request. */
  readonly force?: boolean;
}
