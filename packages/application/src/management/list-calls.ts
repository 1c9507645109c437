import type {
  AddressCheckDocument,
  BlockDocument,
  ListChangeDocument,
  ListEntryDocument,
  ListName,
  ListsDocument,
  NewListEntry,
  Page,
} from '@sallyport/model';
import type { Caller, PageOptions } from './caller.ts';
import type { ListSettingsRequest } from './requests.ts';

/** Black and white lists of an organisation; of the server where the organisation is `undefined`. */
export function listCalls(caller: Caller) {
  const base = (organisation: string | undefined) =>
    organisation === undefined ? ['server', 'lists'] : ['organisations', organisation, 'lists'];
  const entries = (organisation: string | undefined, list: ListName) => [...base(organisation), list, 'entries'];
  return {
    get: (organisation: string | undefined) => caller.json<ListsDocument>('GET', base(organisation)),
    /** Turns a list on and the other one off, or both off. */
    use: (organisation: string | undefined, body: ListSettingsRequest) =>
      caller.json<ListsDocument>('PUT', base(organisation), { body }),
    entries: (organisation: string | undefined, list: ListName, page: PageOptions = {}) =>
      caller.json<Page<ListEntryDocument>>('GET', entries(organisation, list), { query: { ...page } }),
    /** At most 10,000 at a time. */
    add: (
      organisation: string | undefined,
      list: ListName,
      body: { readonly entries: readonly NewListEntry[]; readonly force?: boolean },
    ) => caller.json<ListChangeDocument>('POST', entries(organisation, list), { body }),
    remove: (
      organisation: string | undefined,
      list: ListName,
      entry: string,
      options: { readonly force?: boolean } = {},
    ) =>
      caller.nothing('DELETE', [...entries(organisation, list), entry], {
        query: options.force === true ? { force: 'true' } : {},
      }),
    /** What the lists say of an address. */
    check: (organisation: string | undefined, address: string) =>
      caller.json<AddressCheckDocument>('GET', [...base(organisation), 'check', address]),
  };
}

/** Addresses that have guessed too often. */
export function blockCalls(caller: Caller) {
  return {
    list: (page: PageOptions = {}) =>
      caller.json<Page<BlockDocument>>('GET', ['server', 'blocks'], { query: { ...page } }),
    /** Answers how many ended. */
    release: (body: { readonly address?: string; readonly principal?: string; readonly all?: true }) =>
      caller.json<{ readonly released: number }>('POST', ['server', 'blocks', 'release'], { body }),
  };
}
