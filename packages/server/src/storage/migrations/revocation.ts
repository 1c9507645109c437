import { type Kysely, sql } from 'kysely';

/** What was issued here and may not count any more, kept beyond the principal that it was issued to: lists are made from it. */
export async function revokedCertificates(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('revoked_certificates')
    .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('issuer_name_hash', 'varchar(64)', (column) => column.notNull())
    .addColumn('serial', 'text', (column) => column.notNull())
    .addColumn('not_after', 'bigint', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('revoked_certificates_name', ['issuer_name_hash', 'serial'])
    .execute();
  await db.schema
    .createIndex('revoked_certificates_issuer')
    .on('revoked_certificates')
    .columns(['issuer_name_hash', 'sequence'])
    .execute();
  await sql`insert into revoked_certificates (issuer_name_hash, serial, not_after, revoked_at)
    select issuer_name_hash, serial, not_after, revoked_at from certificates
    where kind = 'issued' and revoked_at is not null`.execute(db);
}

/** What is asked about the certificates of each imported authority. */
export async function revocationOfAuthorities(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('authorities')
    .addColumn('revocation', 'varchar(16)', (column) => column.notNull().defaultTo('off'))
    .execute();
  await db.schema
    .alterTable('authorities')
    .addColumn('on_unknown', 'varchar(8)', (column) => column.notNull().defaultTo('hard'))
    .execute();
  await db.schema.alterTable('authorities').addColumn('list_url', 'text').execute();
  await db.schema.alterTable('authorities').addColumn('responder_url', 'text').execute();
}
