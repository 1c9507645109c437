/** What kind of proof a session stands on. */
export type CredentialKind = 'token' | 'password' | 'certificate' | 'access-token' | 'scram' | 'directory' | 'hook';
