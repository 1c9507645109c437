import type { CredentialKind } from './credential-kind.ts';

interface SessionName {
  readonly organisation: string;
  readonly clientId: string;
  /** Written form of the principal. */
  readonly principal: string;
  readonly credential: string;
  readonly credentialKind: CredentialKind;
}

/** What happens to the grounds of a session that is open. */
export type TokenEvent =
  | ({
      readonly type: 'session.renewed';
      /** Milliseconds since the epoch. */
      readonly expiresAt?: number;
    } & SessionName)
  | ({
      /** Told ahead, so that somebody may see to it that the client gets a new credential. */
      readonly type: 'session.expiring';
      readonly expiresAt: number;
    } & SessionName);
