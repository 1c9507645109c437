import type { SecurityLevel } from '@sallyport/model';

export type Proof = 'certificate' | 'token';

/** What a connection must show. The five levels are data. */
export interface ConnectionLevel {
  readonly transport: 'any' | 'tls';
  /** `all` also demands that every proof names the same principal. */
  readonly require: 'any' | 'all';
  readonly proofs: readonly Proof[];
}

/** What a session has shown; a single credential says it by its kind. */
export function shownProofs({
  proofs,
  credentialKind,
}: {
  readonly proofs?: readonly Proof[];
  readonly credentialKind: string;
}): readonly Proof[] {
  return proofs ?? [credentialKind === 'certificate' ? 'certificate' : 'token'];
}

/** "Token" stands for every secret that is presented in CONNECT: token, key and token, user name and password. */
export const CONNECTION_LEVELS: Readonly<Record<SecurityLevel, ConnectionLevel>> = {
  'tls-optional': { transport: 'any', require: 'any', proofs: ['certificate', 'token'] },
  'tls-token': { transport: 'tls', require: 'any', proofs: ['token'] },
  'tls-certificate': { transport: 'tls', require: 'any', proofs: ['certificate'] },
  'tls-certificate-and-token': { transport: 'tls', require: 'all', proofs: ['certificate', 'token'] },
  'tls-certificate-or-token': { transport: 'tls', require: 'any', proofs: ['certificate', 'token'] },
};
