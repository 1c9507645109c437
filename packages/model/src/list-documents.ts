/*
 * Documents of the HTTPS API about lists of addresses. A list belongs to an organisation, or to the whole server.
 */

export const LIST_NAMES = ['black', 'white'] as const;
/** Who is on the black list is refused; who is not on the white list is refused. */
export type ListName = (typeof LIST_NAMES)[number];

/** The lists of an organisation, or of the server if `organisation` is absent. At most one of the two is on. */
export interface ListsDocument {
  readonly organisation?: string;
  readonly active: 'none' | ListName;
  /** What a list that names countries does with an address whose country is not known. */
  readonly unknownCountry: 'allow' | 'refuse';
  /** How many entries each list has. */
  readonly black: number;
  readonly white: number;
  /** Absent if the server knows no countries. */
  readonly countries?: CountryFileDocument;
}

/** The file that says in which country an address is. */
export interface CountryFileDocument {
  readonly file: string;
  /** What the file calls itself. */
  readonly type: string;
  readonly builtAt: string;
}

export interface ListEntryDocument {
  readonly list: ListName;
  /** An address, a network, a range or the two letters of a country. */
  readonly entry: string;
  readonly note?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  /** When it ceases to hold. */
  readonly expiresAt?: string;
}

export interface NewListEntry {
  readonly entry: string;
  readonly note?: string;
  /** `90d`, `12h`, `30m` or `45s`; never if left out. */
  readonly expiresIn?: string;
}

/** What adding did: entries that were on the list already were changed to what was sent. */
export interface ListChangeDocument {
  readonly added: number;
  readonly changed: number;
}

/** What the lists say of an address. */
export interface AddressCheckDocument {
  readonly address: string;
  readonly passes: boolean;
  /** Two letters; absent if it is not known. */
  readonly country?: string;
  /** One sentence for each list that was asked: what was found. */
  readonly steps: readonly string[];
  readonly cure?: string;
}

/** An address that has guessed too often. */
export interface BlockDocument {
  /** An IPv4 address, or a /64 network of IPv6. */
  readonly network: string;
  /** For whom it is blocked, as it was claimed; absent: for whomever is not known from there. */
  readonly principal?: string;
  /** Wrong attempts. */
  readonly failures: number;
  /** How often it was blocked. */
  readonly blocks: number;
  readonly until: string;
}
