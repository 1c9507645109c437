import type { Credential } from './records.ts';

export interface Credentials {
  /** Adds a token; the ones before stay valid until they are revoked or expire, so that a token can be rotated without a gap. */
  createToken(input: {
    principal: string;
    token?: string;
    expiresAt?: number;
    by: string;
  }): Promise<{ record: Credential; token: string }>;
  /** Adds a user name with a password. Several of one principal may share the user name while a password is changed. */
  createPassword(input: {
    principal: string;
    username: string;
    password: string;
    expiresAt?: number;
    by: string;
  }): Promise<Credential>;
  get(id: string): Promise<Credential>;
  /** Newest first, the ended ones too; never more than 70. */
  list(principal: string): Promise<readonly Credential[]>;
  /** Revoking what is revoked already changes nothing. */
  revoke(input: { id: string; by: string }): Promise<Credential>;
}
