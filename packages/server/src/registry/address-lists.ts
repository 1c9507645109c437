import type { ListName, Page } from '@sallyport/model';
import type { AddressListEntriesTable } from '../storage/list-tables.ts';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { numeric, present } from '../storage/present.ts';
import { checkedDescription, notFound } from './checks.ts';
import { type Ground, mutate } from './ground.ts';
import { organisationIn } from './organisations.ts';

/** Scope of the lists of the whole server; every other scope is the id of an organisation. */
const SERVER_SCOPE = '';

/** One line of a list. Times are milliseconds since the epoch. */
export interface ListedEntry {
  /** In the form of `parseListEntry`. */
  readonly entry: string;
  readonly note?: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number;
}

export interface ListSettings {
  readonly active: 'none' | ListName;
  /** Left out: what is on a black list only is refused, what is on a white list only is allowed. */
  readonly unknownCountry?: 'allow' | 'refuse';
}

export interface ListOfScope {
  readonly scope: string;
  readonly list: ListName;
}

/** Lists of addresses on disk. What an entry means, and whether a list may be turned on, is judged by whoever calls. */
export interface AddressListRecords {
  /** Everything, for the start of the server. */
  load(): Promise<{
    readonly settings: readonly (ListSettings & { readonly scope: string })[];
    readonly entries: readonly (ListedEntry & ListOfScope)[];
  }>;
  /** Entries that are on the list already get the new note and end. */
  put(
    input: ListOfScope & {
      readonly entries: readonly { readonly entry: string; readonly note?: string; readonly expiresAt?: number }[];
      readonly by: string;
    },
  ): Promise<void>;
  /** `not_found` if one of them is not on the list; then none is removed. */
  remove(input: ListOfScope & { readonly entries: readonly string[]; readonly by: string }): Promise<void>;
  set(input: ListSettings & { readonly scope: string; readonly forced: boolean; readonly by: string }): Promise<void>;
  page(input: ListOfScope & PageRequest): Promise<Page<ListedEntry>>;
}

/** How many of the entries a row of the audit trail names. */
const NAMED = 20;

export function addressListRecords(ground: Ground): AddressListRecords {
  const { query } = ground.database;
  const targetOf = ({ scope, list }: ListOfScope) => `list:${scope === SERVER_SCOPE ? 'server' : scope}/${list}`;
  const within = (scope: string) => (scope === SERVER_SCOPE ? {} : { organisation: scope });
  const named = (entries: readonly string[]) => ({ count: entries.length, entries: entries.slice(0, NAMED) });

  return {
    async load() {
      const settings = await query.selectFrom('address_lists').selectAll().execute();
      const entries = await query.selectFrom('address_list_entries').selectAll().execute();
      return {
        settings: settings.map(({ scope, active, unknown_country }) => ({
          scope,
          active: active as ListSettings['active'],
          ...present({ unknownCountry: unknown_country as ListSettings['unknownCountry'] | null }),
        })),
        entries: entries.map((row) => ({ scope: row.scope, list: row.list as ListName, ...entryOf(row) })),
      };
    },

    put: ({ scope, list, entries, by }) =>
      mutate(ground, by, async (transaction, note) => {
        if (scope !== SERVER_SCOPE) await organisationIn(transaction, scope);
        const rows = entries.map((each) => ({
          scope,
          list,
          entry: each.entry,
          note: checkedDescription(each.note),
          created_at: ground.now(),
          created_by: by,
          expires_at: each.expiresAt ?? null,
        }));
        for (const row of rows) {
          await transaction
            .insertInto('address_list_entries')
            .values(row)
            .onConflict((conflict) =>
              conflict.columns(['scope', 'list', 'entry']).doUpdateSet({ note: row.note, expires_at: row.expires_at }),
            )
            .execute();
        }
        const details = named(rows.map(({ entry }) => entry));
        note({ kind: 'list', change: 'created', ...within(scope), target: targetOf({ scope, list }), details });
      }),

    remove: ({ scope, list, entries, by }) =>
      mutate(ground, by, async (transaction, note) => {
        for (const entry of entries) {
          const { numDeletedRows } = await transaction
            .deleteFrom('address_list_entries')
            .where('scope', '=', scope)
            .where('list', '=', list)
            .where('entry', '=', entry)
            .executeTakeFirst();
          if (Number(numDeletedRows) === 0) throw notFound(`The entry ${entry} of ${targetOf({ scope, list })}`);
        }
        const target = targetOf({ scope, list });
        note({ kind: 'list', change: 'removed', ...within(scope), target, details: named(entries) });
      }),

    set: ({ scope, active, unknownCountry, forced, by }) =>
      mutate(ground, by, async (transaction, note) => {
        if (scope !== SERVER_SCOPE) await organisationIn(transaction, scope);
        const row = { active, unknown_country: unknownCountry ?? null };
        await transaction
          .insertInto('address_lists')
          .values({ scope, ...row })
          .onConflict((conflict) => conflict.column('scope').doUpdateSet(row))
          .execute();
        note({
          kind: 'list',
          change: 'updated',
          ...within(scope),
          target: `list:${scope === SERVER_SCOPE ? 'server' : scope}`,
          details: { active, ...present({ unknownCountry }), ...(forced && { forced }) },
        });
      }),

    async page({ scope, list, ...page }) {
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('address_list_entries')
        .selectAll()
        .where('scope', '=', scope)
        .where('list', '=', list)
        .orderBy('entry')
        .limit(limit + 1);
      if (page.after !== undefined) select = select.where('entry', '>', page.after);
      return pageOf(await select.execute(), limit, entryOf, (row) => row.entry);
    },
  };
}

function entryOf(row: AddressListEntriesTable): ListedEntry {
  return {
    entry: row.entry,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    ...present({ note: row.note, expiresAt: numeric(row.expires_at) }),
  };
}
