import { createHash } from 'node:crypto';
import type { SecretBox } from '@sallyport/trust/secrets';

interface IssuerName {
  readonly organisation: string;
  readonly id: string;
}

/** An access token as a session keeps it, so that its issuer can be asked about it after a restart too. */
export interface KeptToken {
  /** SHA-256 of the token in base64url. */
  readonly token: string;
  /** The token, sealed, in base64url. */
  readonly sealed?: string;
}

/** Keeps access tokens with the sessions that stand on them: whoever reads the disk learns none. */
export interface KeptTokens {
  keep(token: string, issuer: IssuerName): Required<KeptToken>;
  /** Undefined if it was sealed under another key, for another issuer, or is not the token that the hash names. */
  open(kept: KeptToken, issuer: IssuerName): string | undefined;
}

export function keptTokens(box: SecretBox): KeptTokens {
  return {
    keep(token, issuer) {
      return {
        token: tokenHash(token),
        sealed: Buffer.from(box.seal(Buffer.from(token), contextOf(issuer))).toString('base64url'),
      };
    },
    open({ token: hash, sealed }, issuer) {
      if (sealed === undefined) return undefined;
      try {
        const token = Buffer.from(box.open(Buffer.from(sealed, 'base64url'), contextOf(issuer))).toString();
        return tokenHash(token) === hash ? token : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** By what a token is known where it must not be read: SHA-256 in base64url. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function contextOf({ organisation, id }: IssuerName): string {
  return `${organisation}/${id}`;
}
