/*
 * Documents of the HTTPS API about the embedded authorization server.
 */

export interface OauthKeyDocument {
  readonly kid: string;
  readonly createdAt: string;
  /** Since when, or from when on, it signs. */
  readonly signsFrom: string;
  readonly state: 'next' | 'signing' | 'past';
}

export interface AuthorizationServerDocument {
  readonly organisation: string;
  readonly issuer: string;
  readonly audience: string;
  /** Where owners approve devices. */
  readonly approvalPage: string;
  readonly keys: readonly OauthKeyDocument[];
}

/** A public key with which an application proves itself to the authorization server. */
export interface ClientKeyDocument {
  readonly principal: string;
  readonly kid: string;
  /** ES256 or EdDSA. */
  readonly algorithm: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

/** A signed access token, or several, that do not count any more although they have not expired. */
export interface RevokedTokenDocument {
  readonly what: 'token' | 'approval' | 'principal';
  /** `jti`, name of the approval, or the claim `sub` of the tokens. */
  readonly name: string;
  readonly revokedAt: string;
  readonly revokedBy: string;
  /** By then all of them have expired. */
  readonly endsAt: string;
}

/** What a device has asked for, and its owner is to decide. */
export interface DeviceRequestDocument {
  readonly userCode: string;
  readonly principal: string;
  readonly clientId: string;
  /** From where the device asked. */
  readonly address: string;
  readonly askedAt: string;
  readonly endsAt: string;
  /** Empty: whatever the policy permits. */
  readonly scopes: readonly string[];
}
