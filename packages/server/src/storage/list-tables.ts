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

interface IncidentsTable {
  id: string;
  organisation: string | null;
  state: string;
  opened_at: number;
  /** The whole incident as JSON. */
  document: string;
}

interface DeviceCountriesTable {
  principal: string;
  /** Two letters each, with commas between. */
  countries: string;
  since: number;
}

interface DeviceHabitsTable {
  principal: string;
  /** When it was heard first and last; milliseconds since the epoch. */
  since: number;
  heard: number;
  /** What was learned of each quantity: three numbers as JSON. */
  rate: string;
  size: string;
}

/** Tables about where clients come from, and about suspicions. */
export interface ListTables {
  address_lists: AddressListsTable;
  address_list_entries: AddressListEntriesTable;
  guess_counts: GuessCountsTable;
  known_addresses: KnownAddressesTable;
  incidents: IncidentsTable;
  device_countries: DeviceCountriesTable;
  device_habits: DeviceHabitsTable;
}
