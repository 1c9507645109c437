import { type Kysely, sql } from 'kysely';
import { deviceCountries } from './migrations/device-countries.ts';
import { deviceHabits } from './migrations/device-habits.ts';
import { enrolmentTables } from './migrations/enrolment.ts';
import { firmwareTables } from './migrations/firmware.ts';
import { identities } from './migrations/identities.ts';
import { incidents } from './migrations/incidents.ts';
import { tokenIssuers } from './migrations/issuers.ts';
import { addressLists, guessing } from './migrations/lists.ts';
import { oauthTables } from './migrations/oauth.ts';
import { revocationOfAuthorities, revokedCertificates } from './migrations/revocation.ts';
import { revokedTokens } from './migrations/revoked-tokens.ts';
import { typeLimits } from './migrations/type-limits.ts';
import { addUnlock } from './migrations/unlock.ts';

/** One step from a schema version to the next. Runs in a transaction; never changes once it is released. */
export type Migration = (schema: Kysely<unknown>) => Promise<void>;

/** The n-th leads to schema version n. */
export const MIGRATIONS: readonly Migration[] = [
  async (db) => {
    const schema = db.schema;
    await schema
      .createTable('organisations')
      .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('security', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('suspended_at', 'bigint')
      .execute();

    await schema
      .createTable('device_types')
      .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
      .addColumn('id', 'varchar(36)', (column) => column.notNull())
      .addColumn('class', 'text', (column) => column.notNull())
      .addColumn('description', 'text')
      .addColumn('security', 'text')
      .addColumn('metadata', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('device_types_key', ['organisation', 'id'])
      .execute();

    await schema
      .createTable('devices')
      .addColumn('organisation', 'varchar(36)', (column) => column.notNull())
      .addColumn('type', 'varchar(36)', (column) => column.notNull())
      .addColumn('id', 'varchar(36)', (column) => column.notNull())
      .addColumn('class', 'text', (column) => column.notNull())
      .addColumn('description', 'text')
      .addColumn('metadata', 'text')
      .addColumn('gateway_role', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('suspended_at', 'bigint')
      .addPrimaryKeyConstraint('devices_key', ['organisation', 'type', 'id'])
      .addForeignKeyConstraint('devices_type', ['organisation', 'type'], 'device_types', ['organisation', 'id'])
      .execute();

    await schema
      .createTable('applications')
      .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
      .addColumn('id', 'varchar(36)', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull().unique())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('description', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('suspended_at', 'bigint')
      .addPrimaryKeyConstraint('applications_key', ['organisation', 'id'])
      .execute();

    await schema
      .createTable('operators')
      .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('suspended_at', 'bigint')
      .execute();

    await schema
      .createTable('credentials')
      .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('principal', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('username', 'text')
      .addColumn('token_hash', 'blob')
      .addColumn('password_hash', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'bigint')
      .addColumn('revoked_at', 'bigint')
      .addColumn('revoked_by', 'text')
      .execute();
    await schema.createIndex('credentials_principal').on('credentials').column('principal').execute();
    await schema.createIndex('credentials_username').on('credentials').column('username').execute();

    await schema
      .createTable('policies')
      .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('text', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('policies_key', ['organisation', 'version'])
      .execute();

    await schema
      .createTable('audit')
      // AUTOINCREMENT: the number of a row that was removed is never given again.
      .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('by', 'text')
      .addColumn('target', 'text')
      .addColumn('organisation', 'text')
      .addColumn('principal', 'text')
      .addColumn('address', 'text')
      .addColumn('outcome', 'text')
      .addColumn('ticket', 'text')
      .addColumn('details', 'text')
      .execute();
    await schema.createIndex('audit_at').on('audit').column('at').execute();
    await schema.createIndex('audit_organisation').on('audit').columns(['organisation', 'sequence']).execute();
    await schema.createIndex('audit_principal').on('audit').columns(['principal', 'sequence']).execute();

    await schema
      .createTable('refusals')
      .addColumn('ticket', 'varchar(6)', (column) => column.primaryKey())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('last_at', 'bigint', (column) => column.notNull())
      .addColumn('count', 'bigint', (column) => column.notNull())
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('organisation', 'text')
      .addColumn('principal', 'text')
      .addColumn('client_id', 'text')
      .addColumn('address', 'text')
      .addColumn('document', 'text', (column) => column.notNull())
      .execute();
    await schema.createIndex('refusals_at').on('refusals').columns(['at', 'ticket']).execute();
  },
  async (db) => {
    const schema = db.schema;
    await schema
      .createTable('authorities')
      .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
      .addColumn('fingerprint', 'varchar(64)', (column) => column.notNull())
      .addColumn('certificate', 'blob', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('subject_name_hash', 'varchar(64)', (column) => column.notNull())
      .addColumn('not_before', 'bigint', (column) => column.notNull())
      .addColumn('not_after', 'bigint', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('authorities_key', ['organisation', 'fingerprint'])
      .execute();
    await schema.createIndex('authorities_subject').on('authorities').column('subject_name_hash').execute();

    await schema
      .createTable('certificates')
      .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('organisation', 'varchar(36)', (column) => column.notNull().references('organisations.id'))
      .addColumn('principal', 'text')
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('fingerprint', 'varchar(64)')
      .addColumn('issuer_name_hash', 'varchar(64)', (column) => column.notNull())
      .addColumn('issuer', 'text', (column) => column.notNull())
      .addColumn('serial', 'text', (column) => column.notNull())
      .addColumn('subject', 'text')
      .addColumn('not_before', 'bigint')
      .addColumn('not_after', 'bigint')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addColumn('revoked_at', 'bigint')
      .addColumn('revoked_by', 'text')
      .execute();
    await schema
      .createIndex('certificates_issuer')
      .on('certificates')
      .columns(['issuer_name_hash', 'serial'])
      .execute();
    await schema.createIndex('certificates_fingerprint').on('certificates').column('fingerprint').execute();
    await schema.createIndex('certificates_principal').on('certificates').column('principal').execute();
    await schema.createIndex('certificates_end').on('certificates').columns(['organisation', 'not_after']).execute();
  },
  revokedCertificates,
  addressLists,
  firmwareTables,
  oauthTables,
  revocationOfAuthorities,
  addUnlock,
  identities,
  tokenIssuers,
  guessing,
  enrolmentTables,
  incidents,
  deviceCountries,
  revokedTokens,
  typeLimits,
  deviceHabits,
];

/** Brings a database to the newest schema. Answers the version found, which may be newer than what is known here: then nothing is done. */
export async function migrate(db: Kysely<unknown>, migrations: readonly Migration[] = MIGRATIONS): Promise<number> {
  const versions = db as Kysely<{ schema_version: { version: number } }>;
  await db.schema.createTable('schema_version').ifNotExists().addColumn('version', 'integer').execute();
  const row = await versions.selectFrom('schema_version').select('version').executeTakeFirst();
  const found = Number(row?.version ?? 0);

  for (const [index, step] of migrations.entries()) {
    if (index < found) continue;
    await db.transaction().execute(async (transaction) => {
      await step(transaction);
      await sql`delete from schema_version`.execute(transaction);
      await sql`insert into schema_version (version) values (${index + 1})`.execute(transaction);
    });
  }
  return found;
}
