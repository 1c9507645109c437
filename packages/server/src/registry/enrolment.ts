import { Failure, parsePrincipal } from '@sallyport/model';
import type { Selectable } from 'kysely';
import type { EnrolmentCodesTable } from '../storage/enrolment-rows.ts';
import { numeric, present } from '../storage/present.ts';
import { certificateIn, insertCertificate, insertClaimCertificate, type NewCertificate } from './certificates.ts';
import { checked, checkedExpiry, invalid, notFound } from './checks.ts';
import { ownerIn } from './credentials.ts';
import { insertWithoutCredential } from './devices.ts';
import { generateCode, normalCode } from './enrolment-code.ts';
import { type Ground, mutate } from './ground.ts';
import { recordId } from './issue.ts';
import { organisationIn } from './organisations.ts';
import type { CertificateRecord, Claim, EnrolmentCode } from './records.ts';
import { typeIn } from './types.ts';

/** How devices come by their first certificate. */
export interface Enrolment {
  /** A code for one enrolment of a device or gateway; one of before ends. The code is in this answer and in no other. */
  createCode(input: { principal: string; expiresAt: number; by: string }): Promise<{
    readonly record: EnrolmentCode;
    readonly code: string;
  }>;
  /** By what somebody shows, used and expired ones too. Asked of the disk each time. */
  findCode(code: string): Promise<EnrolmentCode | undefined>;
  /** Counts that a code was shown and nothing came of it. */
  countAttempt(id: string): Promise<void>;
  /** Ends the code of a principal, if it has one that is not used. */
  revokeCode(input: { principal: string; by: string }): Promise<void>;
  /** Uses a code up and notes the certificate that was issued for it, both or neither: a second use is `in_use`. */
  redeemCode(id: string, certificate: NewCertificate): Promise<CertificateRecord>;
  /** Notes a claim certificate for so many new devices of a type of devices. */
  createClaim(
    input: Omit<NewCertificate, 'principal'> & { organisation: string; type: string; maximum: number },
  ): Promise<Claim>;
  findClaim(certificate: CertificateRecord): Promise<Claim | undefined>;
  /** Registers a new device by a claim and notes its certificate, both or neither: a claim that is used up is `in_use`. */
  redeemClaim(
    claim: CertificateRecord,
    device: { id: string },
    certificate: NewCertificate,
  ): Promise<CertificateRecord>;
}

const MOST_DEVICES = 1_000_000;

export function enrolment(ground: Ground): Enrolment {
  const { query } = ground.database;
  const hashOf = (code: string) => Buffer.from(ground.hashToken(normalCode(code))).toString('hex');

  return {
    async createCode({ principal, expiresAt, by }) {
      const owner = checked('principal', parsePrincipal(principal));
      if (owner.kind !== 'device' && owner.kind !== 'gateway') {
        throw invalid('principal', 'only devices and gateways enrol by a code');
      }
      const code = generateCode(ground.random);
      const row = {
        id: recordId(ground.random),
        organisation: owner.organisation,
        principal,
        code_hash: hashOf(code),
        attempts: 0,
        created_at: ground.now(),
        created_by: by,
        expires_at: checkedExpiry(expiresAt, ground.now()) ?? 0,
        used_at: null,
      };
      return mutate(ground, by, async (transaction, note) => {
        await ownerIn(transaction, owner, principal);
        await transaction.deleteFrom('enrolment_codes').where('principal', '=', principal).execute();
        await transaction.insertInto('enrolment_codes').values(row).execute();
        const record = codeOf(row);
        note({ ...changeOf(record), change: 'created', details: detailsOf(record) });
        return { record, code };
      });
    },

    async findCode(code) {
      const row = await query
        .selectFrom('enrolment_codes')
        .selectAll()
        .where('code_hash', '=', hashOf(code))
        .executeTakeFirst();
      return row && codeOf(row);
    },

    async countAttempt(id) {
      await ground.database.transaction((transaction) =>
        transaction
          .updateTable('enrolment_codes')
          .set((row) => ({ attempts: row('attempts', '+', 1) }))
          .where('id', '=', id)
          .execute(),
      );
    },

    revokeCode: ({ principal, by }) =>
      mutate(ground, by, async (transaction, note) => {
        const row = await transaction
          .selectFrom('enrolment_codes')
          .selectAll()
          .where('principal', '=', principal)
          .where('used_at', 'is', null)
          .executeTakeFirst();
        if (!row) throw notFound(`An enrolment code of ${principal}`);
        await transaction.deleteFrom('enrolment_codes').where('id', '=', row.id).execute();
        const record = codeOf(row);
        note({ ...changeOf(record), change: 'revoked', details: detailsOf(record) });
      }),

    redeemCode: (id, certificate) =>
      mutate(ground, certificate.by, async (transaction, note) => {
        const { numUpdatedRows } = await transaction
          .updateTable('enrolment_codes')
          .set({ used_at: ground.now() })
          .where('id', '=', id)
          .where('used_at', 'is', null)
          .executeTakeFirst();
        if (Number(numUpdatedRows) !== 1) throw new Failure('in_use', 'The enrolment code was used meanwhile.');
        return insertCertificate(ground, transaction, note, 'issued', { ...certificate, enrolledBy: `code ${id}` });
      }),

    async createClaim({ organisation, type, maximum, ...certificate }) {
      if (!Number.isSafeInteger(maximum) || maximum < 1 || maximum > MOST_DEVICES) {
        throw invalid('maximum', `a claim is for 1 to ${MOST_DEVICES} devices`);
      }
      return mutate(ground, certificate.by, async (transaction, note) => {
        await organisationIn(transaction, organisation);
        const known = await typeIn(transaction, { organisation, id: type });
        if (known.class !== 'device') {
          throw new Failure('invalid_request', `type: ${type} is a type of gateways.`, {
            cure: 'Give each gateway an enrolment code: a claim that many share must not hand out the rights of gateways.',
          });
        }
        const record = await insertClaimCertificate(ground, transaction, note, {
          ...certificate,
          organisation,
          type,
          maximum,
        });
        await transaction
          .insertInto('claims')
          .values({ certificate: record.id, organisation, type, maximum, used: 0 })
          .execute();
        return { certificate: record, type, maximum, used: 0 };
      });
    },

    async findClaim(certificate) {
      const row = await query
        .selectFrom('claims')
        .selectAll()
        .where('certificate', '=', certificate.id)
        .executeTakeFirst();
      return row && { certificate, type: row.type, maximum: Number(row.maximum), used: Number(row.used) };
    },

    redeemClaim: ({ id, organisation }, device, certificate) =>
      mutate(ground, certificate.by, async (transaction, note) => {
        const found = await certificateIn(transaction, organisation, id);
        if (found.revokedAt !== undefined) throw new Failure('in_use', 'The claim certificate was revoked meanwhile.');
        const { numUpdatedRows } = await transaction
          .updateTable('claims')
          .set((row) => ({ used: row('used', '+', 1) }))
          .where('certificate', '=', id)
          .whereRef('used', '<', 'maximum')
          .executeTakeFirst();
        if (Number(numUpdatedRows) !== 1) throw new Failure('in_use', 'The claim certificate is used up.');
        const { type } = await transaction
          .selectFrom('claims')
          .select('type')
          .where('certificate', '=', id)
          .executeTakeFirstOrThrow();
        const name = { organisation, type, id: device.id, by: certificate.by };
        await insertWithoutCredential(ground, transaction, note, name, 'claim');
        return insertCertificate(ground, transaction, note, 'issued', { ...certificate, enrolledBy: `claim ${id}` });
      }),
  };
}

function codeOf(row: Selectable<EnrolmentCodesTable>): EnrolmentCode {
  return {
    id: row.id,
    organisation: row.organisation,
    principal: row.principal,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    expiresAt: Number(row.expires_at),
    attempts: Number(row.attempts),
    ...present({ usedAt: numeric(row.used_at) }),
  };
}

function changeOf({ id, organisation, principal }: EnrolmentCode) {
  return { kind: 'enrolment-code', organisation, principal, target: `enrolment-code:${organisation}/${id}` } as const;
}

function detailsOf({ id, expiresAt }: EnrolmentCode) {
  return { code: id, expiresAt };
}
