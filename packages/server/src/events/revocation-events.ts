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
      readonly what: 'server certificate' | 'authority' | 'imported authority' | 'client certificates';
      readonly name: string;
      readonly organisation?: string;
      readonly days: 30 | 7 | 1;
      readonly count: number;
      /** When the first of them ends. Milliseconds since the epoch. */
      readonly notAfter: number;
    };
