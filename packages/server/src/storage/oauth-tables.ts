/* Rows of the embedded authorization server; see `tables.ts`. */

export interface OauthStatesTable {
  organisation: string;
  /** What it is to oidc-provider: `DeviceCode`, `RefreshToken`, … */
  model: string;
  /** HMAC of the token or code, hexadecimal; so is the other hash. */
  id_hash: string;
  /** JSON, without the token or code itself. */
  payload: string;
  grant_id: string | null;
  user_code_hash: string | null;
  /** Written form of whom it was issued to. */
  principal: string | null;
  expires_at: number;
  consumed_at: number | null;
}

export interface OauthKeysTable {
  organisation: string;
  kid: string;
  /** The private key as JWK, sealed under a key that is not in the database. */
  sealed: string;
  created_at: number;
  signs_from: number;
}

export interface ClientKeysTable {
  principal: string;
  kid: string;
  /** Public key as JWK. */
  jwk: string;
  created_at: number;
  created_by: string;
}

export interface RevokedTokensTable {
  organisation: string;
  /** `t:JTI`, `a:APPROVAL` or `p:SUBJECT`. */
  name: string;
  revoked_at: number;
  revoked_by: string;
  ends_at: number;
}

export interface OauthTables {
  oauth_states: OauthStatesTable;
  oauth_keys: OauthKeysTable;
  client_keys: ClientKeysTable;
  revoked_tokens: RevokedTokensTable;
}
