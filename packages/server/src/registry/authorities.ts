import { Failure, type Page, type RevocationChange, type RevocationPolicy } from '@sallyport/model';
import type { Insertable, Selectable } from 'kysely';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import type { AuthoritiesTable } from '../storage/tables.ts';
import { alreadyExists, invalid, notFound } from './checks.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import { organisationIn } from './organisations.ts';
import type { Registration, TrustedAuthority } from './records.ts';
import { revocationColumns, revocationOf } from './revocation-columns.ts';

/** The facts of a certificate that was read and judged fit to be an authority. */
export interface NewAuthority {
  readonly organisation: string;
  readonly der: Uint8Array;
  readonly fingerprint: string;
  readonly subject: string;
  readonly subjectNameHash: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Left out: it is not looked at. */
  readonly revocation?: RevocationChange;
  readonly by: string;
}

/** The certificate authorities that organisations trust besides that of this server. */
export interface Authorities {
  add(input: NewAuthority): Promise<TrustedAuthority>;
  get(name: { organisation: string; fingerprint: string }): Promise<TrustedAuthority>;
  list(input: { organisation: string } & PageRequest): Promise<Page<TrustedAuthority>>;
  /** Changes how revocation is looked at; what is left out stays, `null` ends a URL. */
  update(input: {
    organisation: string;
    fingerprint: string;
    revocation: RevocationChange;
    by: string;
  }): Promise<TrustedAuthority>;
  setRegistration(input: {
    organisation: string;
    fingerprint: string;
    registration: Registration;
    by: string;
  }): Promise<TrustedAuthority>;
  /** Certificates that lead to it are worth nothing from then on. */
  remove(input: { organisation: string; fingerprint: string; by: string }): Promise<void>;
  /** Those with one of these subjects, of one organisation or of all; at most 64. Asked of the disk each time, so never out of date. */
  findBySubject(input: {
    organisation?: string;
    subjectNameHashes: readonly string[];
  }): Promise<readonly TrustedAuthority[]>;
  /** True if the organisation trusts it at this moment. */
  trusts(organisation: string, fingerprint: string): Promise<boolean>;
  /** How the organisation wants to know of revocation; undefined if it does not trust the authority. Asked of the disk each time. */
  revocationOf(organisation: string, fingerprint: string): Promise<RevocationPolicy | undefined>;
  /** All whose revocation is looked at, of every organisation. */
  lookedAt(): Promise<readonly TrustedAuthority[]>;
  /** Those in force that end before this moment, of every organisation; at most 1000. */
  endingBefore(moment: number): Promise<readonly TrustedAuthority[]>;
  /** DER of all that any organisation trusts, each once; at most `limit`. */
  distinct(limit: number): Promise<readonly Uint8Array[]>;
}

/** Authorities of one organisation: a client names none of them, so each may be looked at in each handshake. */
const MOST_OF_ONE = 50;
const MOST_FOUND = 64;
const MOST_ENDING = 1000;

export function authorities(ground: Ground): Authorities {
  const { query } = ground.database;
  return {
    async add(input) {
      const { organisation, fingerprint, by } = input;
      return mutate(ground, by, async (transaction, note) => {
        await organisationIn(transaction, organisation);
        const known = await transaction
          .selectFrom('authorities')
          .select('fingerprint')
          .where('organisation', '=', organisation)
          .execute();
        if (known.some((row) => row.fingerprint === fingerprint)) throw alreadyExists(targetOf(input));
        if (known.length >= MOST_OF_ONE) {
          throw new Failure('in_use', `Organisation "${organisation}" trusts ${MOST_OF_ONE} authorities, the most.`, {
            cure: 'Remove those that nobody uses any more.',
          });
        }
        const row: Insertable<AuthoritiesTable> = {
          organisation,
          fingerprint,
          certificate: Buffer.from(input.der),
          subject: input.subject,
          subject_name_hash: input.subjectNameHash,
          not_before: input.notBefore,
          not_after: input.notAfter,
          created_at: ground.now(),
          created_by: by,
          ...revocationColumns(input.revocation ?? {}),
          registration: 'off',
        };
        await transaction.insertInto('authorities').values(row).execute();
        note({
          kind: 'authority',
          change: 'created',
          organisation,
          target: targetOf(input),
          details: { subject: input.subject, notAfter: input.notAfter },
        });
        return authorityIn(transaction, input);
      });
    },

    get: (name) => authorityIn(query, name),

    async list({ organisation, ...page }) {
      await organisationIn(query, organisation);
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('authorities')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('fingerprint')
        .limit(limit + 1);
      if (page.after !== undefined) select = select.where('fingerprint', '>', page.after);
      return pageOf(await select.execute(), limit, authorityOf, (row) => row.fingerprint);
    },

    update: ({ revocation, ...input }) =>
      mutate(ground, input.by, async (transaction, note) => {
        const { organisation, fingerprint } = input;
        const before = await authorityIn(transaction, input);
        const columns = revocationColumns(revocation, before.revocation);
        await transaction
          .updateTable('authorities')
          .set(columns)
          .where('organisation', '=', organisation)
          .where('fingerprint', '=', fingerprint)
          .execute();
        const { revocation: mode, on_unknown: onUnknown } = columns;
        note({
          kind: 'authority',
          change: 'updated',
          organisation,
          target: targetOf(input),
          details: { revocation: mode, onUnknown },
        });
        return authorityIn(transaction, input);
      }),

    setRegistration: ({ registration, ...input }) =>
      mutate(ground, input.by, async (transaction, note) => {
        const { organisation, fingerprint } = input;
        await authorityIn(transaction, input);
        await transaction
          .updateTable('authorities')
          .set({ registration })
          .where('organisation', '=', organisation)
          .where('fingerprint', '=', fingerprint)
          .execute();
        note({
          kind: 'authority',
          change: 'updated',
          organisation,
          target: targetOf(input),
          details: { registration },
        });
        return authorityIn(transaction, input);
      }),

    remove: (input) =>
      mutate(ground, input.by, async (transaction, note) => {
        const { organisation, fingerprint } = input;
        const { subject } = await authorityIn(transaction, input);
        await transaction
          .deleteFrom('authorities')
          .where('organisation', '=', organisation)
          .where('fingerprint', '=', fingerprint)
          .execute();
        note({ kind: 'authority', change: 'removed', organisation, target: targetOf(input), details: { subject } });
      }),

    async findBySubject({ organisation, subjectNameHashes }) {
      if (subjectNameHashes.length === 0) return [];
      let select = query
        .selectFrom('authorities')
        .selectAll()
        .where('subject_name_hash', 'in', subjectNameHashes)
        .orderBy('organisation')
        .limit(MOST_FOUND);
      if (organisation !== undefined) select = select.where('organisation', '=', organisation);
      return (await select.execute()).map(authorityOf);
    },

    async trusts(organisation, fingerprint) {
      const row = await query
        .selectFrom('authorities')
        .select('fingerprint')
        .where('organisation', '=', organisation)
        .where('fingerprint', '=', fingerprint)
        .executeTakeFirst();
      return row !== undefined;
    },

    async revocationOf(organisation, fingerprint) {
      const row = await query
        .selectFrom('authorities')
        .select(['revocation', 'on_unknown', 'list_url', 'responder_url'])
        .where('organisation', '=', organisation)
        .where('fingerprint', '=', fingerprint)
        .executeTakeFirst();
      return row && revocationOf(row);
    },

    async lookedAt() {
      const rows = await query.selectFrom('authorities').selectAll().where('revocation', '!=', 'off').execute();
      return rows.map(authorityOf);
    },

    async endingBefore(moment) {
      const rows = await query
        .selectFrom('authorities')
        .selectAll()
        .where('not_after', '>', ground.now())
        .where('not_after', '<=', moment)
        .orderBy('not_after')
        .limit(MOST_ENDING)
        .execute();
      return rows.map(authorityOf);
    },

    async distinct(limit) {
      const rows = await query
        .selectFrom('authorities')
        .select('certificate')
        .groupBy(['fingerprint', 'certificate'])
        .orderBy('fingerprint')
        .limit(limit)
        .execute();
      return rows.map(({ certificate }) => Buffer.from(certificate));
    },
  };
}

async function authorityIn(
  executor: Executor,
  { organisation, fingerprint }: { organisation: string; fingerprint: string },
): Promise<TrustedAuthority> {
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw invalid('authority', 'it is named by its SHA-256 in hexadecimal');
  await organisationIn(executor, organisation);
  const row = await executor
    .selectFrom('authorities')
    .selectAll()
    .where('organisation', '=', organisation)
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (!row) throw notFound(`Authority ${fingerprint} of organisation "${organisation}"`);
  return authorityOf(row);
}

function authorityOf(row: Selectable<AuthoritiesTable>): TrustedAuthority {
  return {
    organisation: row.organisation,
    fingerprint: row.fingerprint,
    der: Buffer.from(row.certificate),
    subject: row.subject,
    subjectNameHash: row.subject_name_hash,
    notBefore: Number(row.not_before),
    notAfter: Number(row.not_after),
    revocation: revocationOf(row),
    registration: row.registration as Registration,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
  };
}

function targetOf({ organisation, fingerprint }: { organisation: string; fingerprint: string }): string {
  return `authority:${organisation}/${fingerprint}`;
}
