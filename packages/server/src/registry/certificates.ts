import { Failure, type Page, parsePrincipal } from '@sallyport/model';
import type { Selectable } from 'kysely';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { numeric, present } from '../storage/present.ts';
import type { CertificatesTable } from '../storage/tables.ts';
import { alreadyExists, checked, invalid, notFound } from './checks.ts';
import { ownerIn } from './credentials.ts';
import { type Executor, type Ground, mutate, type Noted } from './ground.ts';
import { recordId } from './issue.ts';
import { organisationIn } from './organisations.ts';
import type { CertificateRecord, Claim } from './records.ts';
import { listAsRevoked } from './revoked-certificates.ts';

/** The facts of a client certificate that was read, for a principal. */
export interface NewCertificate {
  /** Written form of a device, gateway or application. */
  readonly principal: string;
  readonly fingerprint: string;
  readonly issuerNameHash: string;
  readonly issuer: string;
  readonly serial: string;
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly by: string;
}

/** What is known of client certificates: those that this server issued, those that are pinned, and foreign ones that were revoked. */
export interface Certificates {
  /** Notes a certificate that this server issues. Only what is noted here is worth anything. */
  recordIssued(input: NewCertificate): Promise<CertificateRecord>;
  /** From now on this one certificate proves the principal, whoever signed it. It can be pinned to one principal only. */
  pin(input: NewCertificate): Promise<CertificateRecord>;
  get(input: { organisation: string; id: string }): Promise<CertificateRecord>;
  /** Newest first. `endingBefore`: in force, and ends before this moment. */
  list(
    input: { organisation: string; principal?: string; serial?: string; endingBefore?: number } & PageRequest,
  ): Promise<Page<CertificateRecord>>;
  /** Revoking what is revoked already changes nothing. */
  revoke(input: { organisation: string; id: string; by: string }): Promise<CertificateRecord>;
  /** Revokes a certificate of a trusted authority that is not on record here, by issuer and serial. */
  revokeForeign(input: {
    organisation: string;
    issuerNameHash: string;
    issuer: string;
    serial: string;
    by: string;
  }): Promise<CertificateRecord>;
  /**
   * For each organisation, how many certificates in force end within each number of days (the first is the longest) and when the
   * first does. Left out are those whose principal has one that lives longer.
   */
  endingWithin(
    days: readonly number[],
  ): Promise<
    readonly { readonly organisation: string; readonly within: readonly number[]; readonly notAfter: number }[]
  >;
  /** All rows of this issuer and serial, of all organisations. Asked of the disk each time, so never out of date. */
  findBySerial(name: { issuerNameHash: string; serial: string }): Promise<readonly CertificateRecord[]>;
  /** The pin of this fingerprint: the one in force, else the one that ended last. */
  findPin(fingerprint: string): Promise<CertificateRecord | undefined>;
}

/** Certificates of one principal that may be in force at once. */
const MOST_IN_FORCE = 50;
const DAY = 86_400_000;

export function certificates(ground: Ground): Certificates {
  const { query } = ground.database;

  const add = (kind: 'issued' | 'pinned', input: NewCertificate): Promise<CertificateRecord> =>
    mutate(ground, input.by, (transaction, note) => insertCertificate(ground, transaction, note, kind, input));

  return {
    recordIssued: (input) => add('issued', input),
    pin: (input) => add('pinned', input),

    get: ({ organisation, id }) => certificateIn(query, organisation, id),

    async list({ organisation, principal, serial, endingBefore, ...page }) {
      await organisationIn(query, organisation);
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('certificates')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('sequence', 'desc')
        .limit(limit + 1);
      if (principal !== undefined) select = select.where('principal', '=', principal);
      if (serial !== undefined) select = select.where('serial', '=', serial);
      if (endingBefore !== undefined) {
        select = select
          .where('revoked_at', 'is', null)
          .where('not_after', '<', endingBefore)
          .where('not_after', '>', ground.now());
      }
      const after = Number(page.after);
      if (page.after !== undefined) {
        if (!Number.isSafeInteger(after)) throw invalid('after', 'it is not the end of a page');
        select = select.where('sequence', '<', after);
      }
      return pageOf(await select.execute(), limit, certificateOf, (row) => String(row.sequence));
    },

    revoke: ({ organisation, id, by }) =>
      mutate(ground, by, async (transaction, note) => {
        const found = await certificateIn(transaction, organisation, id);
        if (found.revokedAt !== undefined) return found;
        await listAsRevoked(transaction, { id }, ground.now());
        await transaction
          .updateTable('certificates')
          .set({ revoked_at: ground.now(), revoked_by: by })
          .where('id', '=', id)
          .execute();
        note({ ...changeOf(found), change: 'revoked', details: detailsOf(found) });
        return certificateIn(transaction, organisation, id);
      }),

    revokeForeign: async ({ organisation, issuerNameHash, issuer, serial, by }) => {
      if (!/^[0-9a-f]{1,40}$/.test(serial)) throw invalid('serial', 'a serial is written in hexadecimal');
      return mutate(ground, by, async (transaction, note) => {
        await organisationIn(transaction, organisation);
        const known = await transaction
          .selectFrom('certificates')
          .selectAll()
          .where('organisation', '=', organisation)
          .where('kind', '=', 'foreign')
          .where('issuer_name_hash', '=', issuerNameHash)
          .where('serial', '=', serial)
          .executeTakeFirst();
        if (known) return certificateOf(known);
        const row = {
          id: recordId(ground.random),
          organisation,
          principal: null,
          kind: 'foreign',
          fingerprint: null,
          issuer_name_hash: issuerNameHash,
          issuer,
          serial,
          subject: null,
          not_before: null,
          not_after: null,
          created_at: ground.now(),
          created_by: by,
          revoked_at: ground.now(),
          revoked_by: by,
        };
        await transaction.insertInto('certificates').values(row).execute();
        const record = certificateOf(row);
        note({ ...changeOf(record), change: 'revoked', details: detailsOf(record) });
        return record;
      });
    },

    async endingWithin(days) {
      const now = ground.now();
      const found = new Map<string, { organisation: string; within: number[]; notAfter: number }>();
      for (const [index, span] of days.entries()) {
        const end = now + span * DAY;
        const rows = await query
          .selectFrom('certificates as c')
          .select((e) => ['c.organisation', e.fn.countAll().as('count'), e.fn.min('c.not_after').as('first')])
          .where('c.kind', '!=', 'foreign')
          .where('c.revoked_at', 'is', null)
          .where('c.not_after', '>', now)
          .where('c.not_after', '<=', end)
          .where((e) =>
            e.not(
              e.exists(
                e
                  .selectFrom('certificates as later')
                  .select('later.id')
                  .whereRef('later.principal', '=', 'c.principal')
                  .where('later.revoked_at', 'is', null)
                  .where('later.not_after', '>', end),
              ),
            ),
          )
          .groupBy('c.organisation')
          .execute();
        for (const { organisation, count, first } of rows) {
          const known = found.get(organisation) ?? { organisation, within: days.map(() => 0), notAfter: Number(first) };
          known.within[index] = Number(count);
          found.set(organisation, known);
        }
      }
      return [...found.values()];
    },

    async findBySerial({ issuerNameHash, serial }) {
      const rows = await query
        .selectFrom('certificates')
        .selectAll()
        .where('issuer_name_hash', '=', issuerNameHash)
        .where('serial', '=', serial)
        .execute();
      return rows.map(certificateOf);
    },

    async findPin(fingerprint) {
      const rows = await query
        .selectFrom('certificates')
        .selectAll()
        .where('fingerprint', '=', fingerprint)
        .where('kind', '=', 'pinned')
        .orderBy('sequence', 'desc')
        .execute();
      const found = rows.find((row) => row.revoked_at === null) ?? rows[0];
      return found && certificateOf(found);
    },
  };
}

/** Writes a certificate of a principal within a transaction. `enrolledBy` says in the audit row what it was enrolled with. */
export async function insertCertificate(
  ground: Ground,
  transaction: Executor,
  note: (change: Noted) => void,
  kind: 'issued' | 'pinned',
  input: NewCertificate & { readonly enrolledBy?: string },
): Promise<CertificateRecord> {
  const owner = checked('principal', parsePrincipal(input.principal));
  if (owner.kind === 'operator') throw invalid('principal', 'an operator has tokens only');
  await ownerIn(transaction, owner, input.principal);
  if (kind === 'pinned') await refuseSecondPin(transaction, input.fingerprint);
  await refuseCrowd(transaction, input.principal, ground.now());
  const { principal, enrolledBy, ...facts } = input;
  const record = await insertRow(ground, transaction, { ...facts, organisation: owner.organisation, kind, principal });
  note({ ...changeOf(record), change: 'created', details: { ...detailsOf(record), ...present({ enrolledBy }) } });
  return record;
}

/** Writes a certificate that proves nobody and may only enrol. */
export async function insertClaimCertificate(
  ground: Ground,
  transaction: Executor,
  note: (change: Noted) => void,
  {
    type,
    maximum,
    ...input
  }: Omit<NewCertificate, 'principal'> & Pick<Claim, 'type' | 'maximum'> & { readonly organisation: string },
): Promise<CertificateRecord> {
  const record = await insertRow(ground, transaction, { ...input, kind: 'claim', principal: null });
  note({ ...changeOf(record), change: 'created', details: { ...detailsOf(record), type, maximum } });
  return record;
}

async function insertRow(
  ground: Ground,
  transaction: Executor,
  input: Omit<NewCertificate, 'principal'> & {
    readonly organisation: string;
    readonly kind: CertificateRecord['kind'];
    readonly principal: string | null;
  },
): Promise<CertificateRecord> {
  const row = {
    id: recordId(ground.random),
    organisation: input.organisation,
    principal: input.principal,
    kind: input.kind,
    fingerprint: input.fingerprint,
    issuer_name_hash: input.issuerNameHash,
    issuer: input.issuer,
    serial: input.serial,
    subject: input.subject,
    not_before: input.notBefore,
    not_after: input.notAfter,
    created_at: ground.now(),
    created_by: input.by,
    revoked_at: null,
    revoked_by: null,
  };
  await transaction.insertInto('certificates').values(row).execute();
  return certificateOf(row);
}

export async function certificateIn(executor: Executor, organisation: string, id: string): Promise<CertificateRecord> {
  await organisationIn(executor, organisation);
  const row = await executor
    .selectFrom('certificates')
    .selectAll()
    .where('organisation', '=', organisation)
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) throw notFound(`Certificate "${id}" of organisation "${organisation}"`);
  return certificateOf(row);
}

/** Two principals behind one certificate could not be told apart. */
async function refuseSecondPin(executor: Executor, fingerprint: string): Promise<void> {
  const row = await executor
    .selectFrom('certificates')
    .select('principal')
    .where('fingerprint', '=', fingerprint)
    .where('kind', '=', 'pinned')
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (row) throw alreadyExists(`A pin of the certificate ${fingerprint}`);
}

async function refuseCrowd(executor: Executor, principal: string, now: number): Promise<void> {
  const { count } = await executor
    .selectFrom('certificates')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('principal', '=', principal)
    .where('revoked_at', 'is', null)
    .where('not_after', '>', now)
    .executeTakeFirstOrThrow();
  if (Number(count) < MOST_IN_FORCE) return;
  throw new Failure('in_use', `${principal} has ${MOST_IN_FORCE} certificates in force, which is the most.`, {
    cure: 'Revoke those that nobody uses any more.',
  });
}

function certificateOf(row: Omit<Selectable<CertificatesTable>, 'sequence'>): CertificateRecord {
  return {
    id: row.id,
    organisation: row.organisation,
    kind: row.kind as CertificateRecord['kind'],
    issuerNameHash: row.issuer_name_hash,
    issuer: row.issuer,
    serial: row.serial,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    ...present({
      principal: row.principal,
      fingerprint: row.fingerprint,
      subject: row.subject,
      notBefore: numeric(row.not_before),
      notAfter: numeric(row.not_after),
      revokedAt: numeric(row.revoked_at),
      revokedBy: row.revoked_by,
    }),
  };
}

function changeOf({ id, organisation, principal }: CertificateRecord) {
  return {
    kind: 'certificate',
    organisation,
    ...present({ principal }),
    target: `certificate:${organisation}/${id}`,
  } as const;
}

function detailsOf({ kind, serial, issuer, notAfter, fingerprint }: CertificateRecord) {
  return { certificateKind: kind, serial, issuer, ...present({ notAfter, fingerprint }) };
}
