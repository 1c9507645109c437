/** The file that says in which country an address is. */
export type ListEvent =
  | {
      readonly type: 'country-file.loaded';
      readonly file: string;
      /** What the file calls itself. */
      readonly database: string;
      readonly builtAt: string;
    }
  | { readonly type: 'country-file.failed'; readonly file: string; readonly problem: string };
