/** What happens to the news of revocation, and what ends soon. */
export type RevocationEvent =
  | {
      /** A revocation list or responder of an imported authority cannot be used; told at the first failure, and again when the list at hand has ended. */
      readonly type: 'revocation.failing';
      /** SHA-256 of the trusted authority. */
      readonly authority: string;
      readonly url: string;
      readonly problem: string;
      /** Until when what is at hand may be used; absent if nothing is. Milliseconds since the epoch. */
      readonly usableUntil?: number;
    }
  | { readonly type: 'revocation.recovered'; readonly authority: string; readonly url: string }
  | {
      /** Something ends within so many days: told once for each of the steps, for all device certificates of an organisation together. */
      readonly type: 'certificate.expiring';
      readonly what:
        | 'server certificate'
        | 'imported server certificate'
        | 'authority'
        | 'imported authority'
        | 'client certificates';
      readonly name: string;
      readonly organisation?: string;
      readonly days: 30 | 7 | 1;
      readonly count: number;
      /** When the first of them ends. Milliseconds since the epoch. */
      readonly notAfter: number;
    }
  | {
      /** From the next handshake on clients are shown another server certificate. */
      readonly type: 'server-certificate.changed';
      /** Written form of the operator. */
      readonly by: string;
      /** `own`: that of the authority of this server again. */
      readonly source: 'own' | 'imported';
      /** Whose host names it is for; absent for that of the server. */
      readonly organisation?: string;
      readonly subject: string;
      /** SHA-256. */
      readonly fingerprint: string;
      readonly notAfter: number;
    }
  | {
      /** An authority of this server that nears its end has a successor, which signs from now on; it vouches for what it signed until it ends. */
      readonly type: 'authority.succeeded';
      readonly organisation?: string;
      readonly subject: string;
      /** SHA-256. */
      readonly fingerprint: string;
      /** SHA-256 of the one before. */
      readonly before: string;
      readonly notAfter: number;
    }
  | {
      /** An authority of this server nears its end and has no successor; told at each start and every week. */
      readonly type: 'authority.ending';
      readonly organisation?: string;
      readonly subject: string;
      readonly why: 'root_key_absent' | 'root_ends' | 'is_root';
      readonly notAfter: number;
    };
