import type { Kysely } from 'kysely';

/** State, signing keys and clients' keys of the embedded authorization server. */
export async function oauthTables(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('oauth_states')
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('id_hash', 'varchar(64)', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('grant_id', 'text')
    .addColumn('user_code_hash', 'varchar(64)')
    .addColumn('principal', 'text')
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('consumed_at', 'bigint')
    .addPrimaryKeyConstraint('oauth_states_key', ['organisation', 'model', 'id_hash'])
    .execute();
  await schema.createIndex('oauth_states_end').on('oauth_states').column('expires_at').execute();
  await schema.createIndex('oauth_states_grant').on('oauth_states').columns(['organisation', 'grant_id']).execute();
  await schema
    .createIndex('oauth_states_code')
    .on('oauth_states')
    .columns(['organisation', 'user_code_hash'])
    .execute();
  await schema.createIndex('oauth_states_principal').on('oauth_states').column('principal').execute();

  await schema
    .createTable('oauth_keys')
    .addColumn('organisation', 'varchar(36)', (column) => column.notNull())
    .addColumn('kid', 'varchar(64)', (column) => column.notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('signs_from', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('oauth_keys_key', ['organisation', 'kid'])
    .execute();

  await schema
    .createTable('client_keys')
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('kid', 'varchar(64)', (column) => column.notNull())
    .addColumn('jwk', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('client_keys_key', ['principal', 'kid'])
    .execute();
}
