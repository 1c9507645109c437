import { Failure, type Principal, parsePrincipal } from '@sallyport/model';
import { scramVerifiers } from '@sallyport/trust/secrets';
import { applicationIn } from './applications.ts';
import { checked, checkedExpiry, invalid, notFound } from './checks.ts';
import { deviceIn } from './devices.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import { chosenOrGenerated, credentialDetails, insertCredential } from './issue.ts';
import { operatorToken } from './operator-token.ts';
import { operatorIn } from './operators.ts';
import type { Credential } from './records.ts';
import { credentialOf } from './rows.ts';

export interface Credentials {
  /** Adds a token; the ones before stay valid until they are revoked or expire, so that a token can be rotated without a gap. */
  createToken(input: {
    principal: string;
    token?: string;
    expiresAt?: number;
    by: string;
  }): Promise<{ record: Credential; token: string }>;
  /** Adds a user name with a password. Several of one principal may share the user name while a password is changed. */
  createPassword(input: {
    principal: string;
    username: string;
    password: string;
    /** For SCRAM alone: the password is then never sent, and what is kept of it is no argon2id hash. */
    scram?: boolean;
    expiresAt?: number;
    by: string;
  }): Promise<Credential>;
  get(id: string): Promise<Credential>;
  /** Newest first, the ended ones too; never more than 70. */
  list(principal: string): Promise<readonly Credential[]>;
  /** Revoking what is revoked already changes nothing. */
  revoke(input: { id: string; by: string }): Promise<Credential>;
}

/** User names that mean another way of proving who one is. */
const RESERVED_USER_NAME = /^(use-token-auth$|use-access-token$|a-[^-]*-)/;

export function credentials(ground: Ground): Credentials {
  const { query } = ground.database;
  return {
    async createToken({ principal, token: chosen, expiresAt, by }) {
      const owner = checked('principal', parsePrincipal(principal));
      if (owner.kind === 'operator' && chosen !== undefined) {
        throw invalid('token', 'the token of an operator is always generated');
      }
      const token =
        owner.kind === 'operator'
          ? operatorToken(owner.id, ground.random)
          : chosenOrGenerated(ground, chosen, namesOf(owner));
      const tokenHash = ground.hashToken(token);
      return mutate(ground, by, async (transaction, note) => {
        await ownerIn(transaction, owner, principal);
        const record = await insertCredential(ground, transaction, { principal, tokenHash, expiresAt, by });
        note({ ...changeOf(record, owner), change: 'created', details: credentialDetails(record) });
        return { record, token };
      });
    },

    async createPassword({ principal, username, password, scram = false, expiresAt, by }) {
      const owner = checked('principal', parsePrincipal(principal));
      if (owner.kind === 'operator') throw invalid('principal', 'an operator has tokens only');
      checkUserName(username);
      checkPassword(password, username);
      if (scram) checkPlain(username, password);
      // Everything that can be refused cheaply is, before the hash is paid for; and the hash before the transaction is begun.
      checkedExpiry(expiresAt, ground.now());
      await ownerIn(query, owner, principal);
      await checkUnclaimed(query, username, principal);
      const passwordHash = scram ? await scramVerifiers(password) : await ground.hashPassword(password);
      return mutate(ground, by, async (transaction, note) => {
        await ownerIn(transaction, owner, principal);
        await checkUnclaimed(transaction, username, principal);
        const input = { principal, username, passwordHash, scram, expiresAt, by };
        const record = await insertCredential(ground, transaction, input);
        note({ ...changeOf(record, owner), change: 'created', details: credentialDetails(record) });
        return record;
      });
    },

    get: (id) => credentialIn(query, id),

    async list(principal) {
      await ownerIn(query, checked('principal', parsePrincipal(principal)), principal);
      const rows = await query
        .selectFrom('credentials')
        .selectAll()
        .where('principal', '=', principal)
        .orderBy('sequence', 'desc')
        .execute();
      return rows.map(credentialOf);
    },

    revoke: ({ id, by }) =>
      mutate(ground, by, async (transaction, note) => {
        const found = await credentialIn(transaction, id);
        if (found.revokedAt !== undefined) return found;
        await transaction
          .updateTable('credentials')
          .set({ revoked_at: ground.now(), revoked_by: by })
          .where('id', '=', id)
          .execute();
        const owner = checked('principal', parsePrincipal(found.principal));
        note({ ...changeOf(found, owner), change: 'revoked', details: credentialDetails(found) });
        return credentialIn(transaction, id);
      }),
  };
}

async function credentialIn(executor: Executor, id: string): Promise<Credential> {
  const row = await executor.selectFrom('credentials').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw notFound(`Credential "${id}"`);
  return credentialOf(row);
}

/** Refuses with `not_found` unless the principal is registered under exactly this name. */
export async function ownerIn(executor: Executor, owner: Principal, name: string): Promise<void> {
  switch (owner.kind) {
    case 'device':
    case 'gateway': {
      const device = await deviceIn(executor, owner);
      if (device.class !== owner.kind) throw notFound(name);
      return;
    }
    case 'application':
      await applicationIn(executor, owner);
      return;
    case 'operator':
      await operatorIn(executor, owner.id);
  }
}

/** A user name leads to one principal. It is free again when every password under it is revoked. */
async function checkUnclaimed(executor: Executor, username: string, principal: string): Promise<void> {
  const taken = await executor
    .selectFrom('credentials')
    .select('principal')
    .where('username', '=', username)
    .where('revoked_at', 'is', null)
    .where('principal', '!=', principal)
    .executeTakeFirst();
  if (taken) throw new Failure('already_exists', `The user name "${username}" belongs to ${taken.principal}.`);
}

function checkUserName(username: string): void {
  const control = /\p{Cc}/u.exec(username);
  if (control) throw invalid('username', `a user name has no control characters (at character ${control.index + 1})`);
  if (username.length < 1 || username.length > 128) throw invalid('username', 'a user name has 1 to 128 characters');
  if (RESERVED_USER_NAME.test(username)) {
    throw invalid(
      'username',
      '"use-token-auth", "use-access-token" and names of the form a-ORGANISATION-… mean a token',
    );
  }
}

function checkPassword(password: string, username: string): void {
  if (password.length < 8 || password.length > 256) throw invalid('password', 'a password has 8 to 256 characters');
  if (password.toLowerCase().includes(username.toLowerCase()) && username.length > 2) {
    throw invalid('password', 'a password does not contain the user name');
  }
}

/** Clients prepare other characters in different ways (RFC 4013), and then the password would be another one. */
function checkPlain(username: string, password: string): void {
  for (const [field, text] of Object.entries({ username, password })) {
    if (!/^[\x20-\x7e]+$/.test(text)) throw invalid(field, 'for SCRAM it has characters of ASCII only');
  }
}

function namesOf(owner: Exclude<Principal, { kind: 'operator' }>): readonly string[] {
  return owner.kind === 'application' ? [owner.organisation, owner.id] : [owner.organisation, owner.type, owner.id];
}

function changeOf({ id, principal }: Credential, owner: Principal) {
  const target = `credential:${id}`;
  const where = owner.kind === 'operator' ? {} : { organisation: owner.organisation };
  return { kind: 'credential', ...where, principal, credential: id, target } as const;
}
