/** Lists of addresses; the scope is an organisation, or empty for the whole server. */
interface AddressListsTable {
  scope: string;
  active: string;
  unknown_country: string | null;
}

export interface AddressListEntriesTable {
  scope: string;
  list: string;
  entry: string;
  note: string | null;
  created_at: number;
  created_by: string;
  expires_at: number | null;
}

interface GuessCountsTable {
  /** `address NETWORK`, `pair NETWORK CLAIM` or `claim CLAIM`. */
  key: string;
  failures: number;
  last: number;
  blocked_until: number;
  blocks: number;
}

interface KnownAddressesTable {
  /** Written form of a principal, or a user name. */
  claim: string;
  network: string;
  last: number;
}

/** Tables about where clients come from. */
export interface ListTables {
  address_lists: AddressListsTable;
  address_list_entries: AddressListEntriesTable;
  guess_counts: GuessCountsTable;
  known_addresses: KnownAddressesTable;
}
