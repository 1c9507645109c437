import type { RefusalReason } from '@sallyport/model';

/** The file that says in which country an address is. */
export type ListEvent =
  | {
      readonly type: 'country-file.loaded';
      readonly file: string;
      /** What the file calls itself. */
      readonly database: string;
      readonly builtAt: string;
    }
  | {
      /** Somebody has guessed too often. A line of it is enough for a firewall. */
      readonly type: 'guessing.blocked';
      readonly address: string;
      /** What is blocked: the address, or a /64 of IPv6. */
      readonly network: string;
      /** For whom it is blocked, as it was claimed; absent: for everybody who is not known from there. */
      readonly claim?: string;
      /** Of the last attempt. */
      readonly reason: RefusalReason;
      readonly failures: number;
      readonly until: string;
    }
  | {
      readonly type: 'guessing.released';
      /** Written form of the operator. */
      readonly by: string;
      readonly address?: string;
      readonly principal?: string;
      readonly released: number;
    }
  | { readonly type: 'country-file.failed'; readonly file: string; readonly problem: string };
