import { Failure, type IssuerSettings, type Page, parseApplicationId } from '@sallyport/model';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import type { IssuersTable } from '../storage/tables.ts';
import { alreadyExists, checked, notFound } from './checks.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import { organisationIn } from './organisations.ts';
import type { Issuer, RegistryChange } from './records.ts';

interface IssuerName {
  readonly organisation: string;
  readonly id: string;
}

/** The authorization servers whose access tokens organisations take. Settings are checked by whoever calls. */
export interface Issuers {
  add(input: IssuerName & { settings: IssuerSettings; by: string }): Promise<Issuer>;
  get(name: IssuerName): Promise<Issuer>;
  list(input: { organisation: string } & PageRequest): Promise<Page<Issuer>>;
  /** Sessions that stand on its tokens end, and may come back. */
  set(input: IssuerName & { settings: IssuerSettings; by: string }): Promise<Issuer>;
  /** Its tokens are worth nothing from then on. */
  remove(input: IssuerName & { by: string }): Promise<void>;
  /** All of all organisations, never older than the last change; at once where nothing has changed. */
  all(): readonly Issuer[] | Promise<readonly Issuer[]>;
  /** Forgets what a change touches. */
  forget(change: RegistryChange): void;
}

/** Each token may have to be looked at with each of them. */
const MOST_OF_ONE = 20;

export function issuers(ground: Ground): Issuers {
  const { query } = ground.database;
  let known: readonly Issuer[] | undefined;
  let reading: Promise<readonly Issuer[]> | undefined;
  let generation = 0;

  async function read(): Promise<readonly Issuer[]> {
    // Until nothing has changed meanwhile: an issuer that was removed must not be answered.
    for (;;) {
      const before = generation;
      const rows = await query.selectFrom('issuers').selectAll().orderBy('organisation').orderBy('id').execute();
      if (before !== generation) continue;
      known = rows.map(issuerOf);
      return known;
    }
  }

  return {
    async add({ organisation, id, settings, by }) {
      checked('id', parseApplicationId(id));
      return mutate(ground, by, async (transaction, note) => {
        await organisationIn(transaction, organisation);
        const before = (await rowsOf(transaction, organisation)).map(issuerOf);
        if (before.some((one) => one.id === id)) throw alreadyExists(targetOf({ organisation, id }));
        if (before.length >= MOST_OF_ONE) {
          throw new Failure('in_use', `Organisation "${organisation}" has ${MOST_OF_ONE} issuers, the most.`, {
            cure: 'Remove those that nobody uses any more.',
          });
        }
        demandPlain(before, id, settings);
        const row: IssuersTable = {
          organisation,
          id,
          version: 1,
          document: JSON.stringify(settings),
          created_at: ground.now(),
          created_by: by,
        };
        await transaction.insertInto('issuers').values(row).execute();
        note({ kind: 'issuer', change: 'created', organisation, target: targetOf(row), details: told(settings) });
        return issuerOf(row);
      });
    },

    get: async (name) => issuerOf(await rowIn(query, name)),

    async list({ organisation, ...page }) {
      await organisationIn(query, organisation);
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('issuers')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('id')
        .limit(limit + 1);
      if (page.after !== undefined) select = select.where('id', '>', page.after);
      return pageOf(await select.execute(), limit, issuerOf, (row) => row.id);
    },

    set: ({ settings, by, ...name }) =>
      mutate(ground, by, async (transaction, note) => {
        const found = await rowIn(transaction, name);
        demandPlain((await rowsOf(transaction, name.organisation)).map(issuerOf), name.id, settings);
        const row = { ...found, version: Number(found.version) + 1, document: JSON.stringify(settings) };
        await transaction
          .updateTable('issuers')
          .set({ version: row.version, document: row.document })
          .where('organisation', '=', name.organisation)
          .where('id', '=', name.id)
          .execute();
        const { organisation } = name;
        note({ kind: 'issuer', change: 'updated', organisation, target: targetOf(name), details: told(settings) });
        return issuerOf(row);
      }),

    remove: ({ by, ...name }) =>
      mutate(ground, by, async (transaction, note) => {
        await rowIn(transaction, name);
        const { organisation, id } = name;
        await transaction.deleteFrom('issuers').where('organisation', '=', organisation).where('id', '=', id).execute();
        note({ kind: 'issuer', change: 'removed', organisation, target: targetOf(name) });
      }),

    all() {
      if (known !== undefined) return known;
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },

    forget({ kind }) {
      if (kind !== 'issuer' && kind !== 'organisation') return;
      generation++;
      known = undefined;
    },
  };
}

/** A token says at most whose it is: of two issuers that could be meant, nobody could tell which. */
function demandPlain(before: readonly Issuer[], id: string, { issuer, tokens }: IssuerSettings): void {
  const rival = before.find(
    (one) => one.id !== id && one.tokens === tokens && (tokens === 'opaque' || one.issuer === issuer),
  );
  if (rival === undefined) return;
  const why =
    tokens === 'opaque'
      ? `"${rival.id}" issues opaque tokens already, and such a token does not say of whom it is`
      : `"${rival.id}" is ${issuer} already`;
  throw new Failure('already_exists', `Issuer "${id}" cannot be told from another one: ${why}.`);
}

function rowsOf(executor: Executor, organisation: string): Promise<IssuersTable[]> {
  return executor.selectFrom('issuers').selectAll().where('organisation', '=', organisation).execute();
}

async function rowIn(executor: Executor, { organisation, id }: IssuerName): Promise<IssuersTable> {
  await organisationIn(executor, organisation);
  const row = await executor
    .selectFrom('issuers')
    .selectAll()
    .where('organisation', '=', organisation)
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) throw notFound(`Issuer "${id}" of organisation "${organisation}"`);
  return row;
}

function issuerOf(row: IssuersTable): Issuer {
  return {
    ...(JSON.parse(row.document) as IssuerSettings),
    organisation: row.organisation,
    id: row.id,
    version: Number(row.version),
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
  };
}

/** For the audit row: keys are public, and too long. */
function told({ keys, ...settings }: IssuerSettings): Readonly<Record<string, unknown>> {
  return { ...settings, ...(keys === undefined ? {} : { keys: 'given' }) };
}

function targetOf({ organisation, id }: IssuerName): string {
  return `issuer:${organisation}/${id}`;
}
