import type { SigningKey, TokenAlgorithm } from './signing-keys.ts';

/** An authorization server whose access tokens an organisation takes. Times in seconds, as in tokens. */
export interface KnownIssuer {
  readonly organisation: string;
  /** Its name in the organisation. */
  readonly id: string;
  /** Grows with every change of its settings. */
  readonly version: number;
  /** Exactly the claim `iss` of its tokens. */
  readonly issuer: string;
  /** One of the audiences of its tokens. */
  readonly audience: string;
  /** `opaque`: every token is asked about. */
  readonly tokens: 'signed' | 'opaque';
  /** Where its keys are fetched; absent if they are given, or its tokens are opaque. */
  readonly jwksUrl?: string;
  readonly keys?: readonly SigningKey[];
  readonly algorithms: readonly TokenAlgorithm[];
  /** `typ` of the header; `any` where it is not looked at, and then fewer claims are demanded (RFC 9068 section 2.2). */
  readonly typ: string;
  readonly clockSkew: number;
  readonly longestLife: number;
  /** Whom a token names, for example `application:{client_id}`. */
  readonly principal: string;
  /** Whether a token must say what it grants, or the policy alone may decide. */
  readonly grants: 'required' | 'optional';
  /** Only tokens that are bound to a client certificate count. */
  readonly requireBound: boolean;
  readonly introspection?: IntrospectionSettings;
  /** Embedded issuers only: what names a token by its claims, and why a token with these names does not count any more. */
  readonly revocations?: {
    namesOf(claims: Readonly<Record<string, unknown>>): TokenNames;
    find(names: TokenNames): string | undefined;
  };
}

/** What tells a token from others, where its issuer says without being asked which it has revoked. */
export interface TokenNames {
  readonly jti?: string;
  /** The approval that it came from. */
  readonly approval?: string;
  readonly sub?: string;
  /** Seconds since the epoch. */
  readonly issuedAt?: number;
}

/** How a token is asked about (RFC 7662). */
export interface IntrospectionSettings {
  readonly url: string;
  readonly clientId: string;
  /** Paths of files on the server: a client secret, or a private key for `private_key_jwt`. */
  readonly secretFile?: string;
  readonly keyFile?: string;
  /** Seconds for which an answer holds at most. */
  readonly cache: number;
}

/** Asked of the registry each time; answers at once where it can. */
export type FindIssuers = (wanted: {
  /** Absent: of every organisation. */
  readonly organisation?: string;
  /** Absent: those whose tokens are opaque. */
  readonly issuer?: string;
}) => readonly KnownIssuer[] | Promise<readonly KnownIssuer[]>;
