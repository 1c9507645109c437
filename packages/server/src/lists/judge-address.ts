import { REASONS, type RefusalReason, type TraceStep } from '@sallyport/model';
import type { CompiledList, HeldEntry } from './compiled-list.ts';

export type ListReason = Extract<
  RefusalReason,
  'address_on_black_list' | 'address_not_on_white_list' | 'country_unknown'
>;

/** What one pair of lists says of an address. */
export type ListAnswer =
  | { readonly passes: true; readonly step: TraceStep }
  | { readonly passes: false; readonly reason: ListReason; readonly step: TraceStep; readonly cure: string };

/** The lists of an organisation or of the server, as far as judging needs them. */
export interface ScopeOfLists {
  /** `the server` or `organisation demo`: for sentences. */
  readonly owner: string;
  /** `--org demo` or `--server-wide`: for commands. */
  readonly option: string;
  readonly active: 'none' | 'black' | 'white';
  readonly unknownCountry: 'allow' | 'refuse';
  readonly black: CompiledList;
  readonly white: CompiledList;
}

export interface JudgeOptions {
  readonly address: string;
  /** Two letters; undefined if it is not known. Asked only where a list names countries. */
  readonly countryOf: (address: string) => string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the list that is on says of an address. An entry for the address itself comes before one for its country. */
export function judgeAddress(scope: ScopeOfLists, { address, countryOf, now }: JudgeOptions): ListAnswer {
  const { active, owner } = scope;
  if (active === 'none') return passes('skipped', `No list of addresses of ${owner} is on.`);
  const list = scope[active];
  const direct = list.findAddress(address, now);
  if (direct) return onList(scope, active, direct, address, 'address');
  if (!list.namesCountries) return offList(scope, active, address);
  const country = countryOf(address);
  if (country === undefined) return unknownCountry(scope, active, address);
  const listed = list.findCountry(country, now);
  return listed
    ? onList(scope, active, listed, `${address} (${country})`, 'country')
    : offList(scope, active, `${address} (${country})`);
}

function onList(
  { owner, option }: ScopeOfLists,
  active: 'black' | 'white',
  { entry, note }: HeldEntry,
  found: string,
  what: string,
): ListAnswer {
  const named = `${entry}${note === undefined ? '' : ` (${note})`}`;
  const text = `The entry ${named} of the ${active} list of ${owner} covers ${found}.`;
  if (active === 'white') return passes('passed', text);
  return {
    passes: false,
    reason: 'address_on_black_list',
    step: {
      stage: 'lists',
      outcome: 'failed',
      text,
      compared: { what, found, expected: `not ${entry}, nor any other entry of the black list` },
    },
    cure: `If the client is wanted, remove the entry: \`sallyport list remove black ${entry} ${option}\`.`,
  };
}

function offList({ owner, option, white }: ScopeOfLists, active: 'black' | 'white', found: string): ListAnswer {
  if (active === 'black') return passes('passed', `No entry of the black list of ${owner} covers ${found}.`);
  const [address = ''] = found.split(' ');
  return {
    passes: false,
    reason: 'address_not_on_white_list',
    step: {
      stage: 'lists',
      outcome: 'failed',
      text: `No entry of the white list of ${owner} covers ${found}.`,
      compared: { what: 'address', found, expected: `one of the ${white.size} entries of the white list` },
    },
    cure: `If the client is wanted, add it: \`sallyport list add white ${address} ${option}\`.`,
  };
}

function unknownCountry({ owner, unknownCountry }: ScopeOfLists, active: string, address: string): ListAnswer {
  const text = `The ${active} list of ${owner} names countries, and none is known for ${address}; unknown countries are set to ${unknownCountry}.`;
  if (unknownCountry === 'allow') return passes('passed', text);
  return {
    passes: false,
    reason: 'country_unknown',
    step: {
      stage: 'lists',
      outcome: 'failed',
      text,
      compared: { what: 'country', found: 'unknown', expected: 'a country that is known' },
    },
    cure: REASONS.country_unknown.cure,
  };
}

function passes(outcome: 'passed' | 'skipped', text: string): ListAnswer {
  return { passes: true, step: { stage: 'lists', outcome, text } };
}
