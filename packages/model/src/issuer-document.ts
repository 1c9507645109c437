/** An authorization server whose access tokens an organisation takes: what one may set. Times are seconds, as in tokens. */
export interface IssuerSettings {
  /** Exactly the claim `iss` of its tokens. */
  readonly issuer: string;
  /** One of the audiences of its tokens. */
  readonly audience: string;
  /** `opaque`: a token says nothing by itself, its issuer is asked about each. */
  readonly tokens: 'signed' | 'opaque';
  /** Where its public keys are fetched. */
  readonly jwksUrl?: string;
  /** Its public keys where they are not fetched: a JWK set, or one key in PEM. */
  readonly keys?: string;
  readonly algorithms: readonly string[];
  /** `typ` in the header of its tokens; `any` where it is not looked at. */
  readonly typ: string;
  readonly clockSkew: number;
  readonly longestLife: number;
  /** Whom a token names, for example `application:{client_id}`. */
  readonly principal: string;
  /** Whether a token must say what it grants, or the policy alone may decide. */
  readonly grants: 'required' | 'optional';
  /** Only tokens that are bound to a client certificate count (RFC 8705). */
  readonly requireBound: boolean;
  readonly introspection?: IssuerIntrospection;
}

/** How the issuer is asked about a token (RFC 7662). Secrets are named by files, never given. */
export interface IssuerIntrospection {
  readonly url: string;
  readonly clientId: string;
  /** File in the folder `secrets` of the data directory: the client secret. */
  readonly secretFile?: string;
  /** As `secretFile`: a private key in PEM for `private_key_jwt` (RFC 7523). */
  readonly keyFile?: string;
  /** Seconds for which an answer holds at most. */
  readonly cache: number;
}

export interface IssuerDocument extends IssuerSettings {
  readonly organisation: string;
  /** Its name in the organisation. */
  readonly id: string;
  /** Grows with every change. */
  readonly version: number;
  readonly createdAt: string;
  readonly createdBy: string;
}
