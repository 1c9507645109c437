import { Failure, parseChosenToken } from '@sallyport/model';
import { present } from '../storage/present.ts';
import { checked, checkedExpiry } from './checks.ts';
import type { Executor, Ground } from './ground.ts';
import type { Credential } from './records.ts';
import { credentialOf } from './rows.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_LENGTH = 12;
/** Credentials of one principal that may be in force at once. */
const MOST_IN_FORCE = 50;
/** Ended credentials of one principal that are remembered, so that a refusal can say what became of them. */
const MOST_ENDED = 20;

export type NewCredential = {
  readonly principal: string;
  readonly expiresAt?: number | undefined;
  readonly by: string;
} & (
  | { readonly tokenHash: Uint8Array }
  | { readonly username: string; readonly passwordHash: string; readonly scram?: boolean }
);

/** A token that was chosen, checked, or a new one. `names` may not occur in a chosen token. */
export function chosenOrGenerated(ground: Ground, chosen: string | undefined, names: readonly string[]): string {
  return chosen === undefined ? ground.generateToken() : checked('token', parseChosenToken(chosen, names));
}

/** Writes a credential within a transaction. */
export async function insertCredential(
  ground: Ground,
  transaction: Executor,
  input: NewCredential,
): Promise<Credential> {
  const { principal, by } = input;
  const now = ground.now();
  await makeRoom(transaction, principal, now);
  const row = {
    id: recordId(ground.random),
    principal,
    kind: 'tokenHash' in input ? 'token' : input.scram === true ? 'scram' : 'password',
    username: 'username' in input ? input.username : null,
    token_hash: 'tokenHash' in input ? input.tokenHash : null,
    password_hash: 'passwordHash' in input ? input.passwordHash : null,
    created_at: now,
    created_by: by,
    expires_at: checkedExpiry(input.expiresAt, now),
    revoked_at: null,
    revoked_by: null,
  };
  await transaction.insertInto('credentials').values(row).execute();
  return credentialOf(row);
}

/** For the audit row of whatever a credential was made for. */
export function credentialDetails(credential: Credential): Readonly<Record<string, unknown>> {
  const { id, kind, username, expiresAt } = credential;
  return { credential: id, credentialKind: kind, ...present({ username, expiresAt }) };
}

async function makeRoom(transaction: Executor, principal: string, now: number): Promise<void> {
  const known = await transaction
    .selectFrom('credentials')
    .select(['id', 'expires_at', 'revoked_at'])
    .where('principal', '=', principal)
    .orderBy('sequence', 'desc')
    .execute();
  const ended = known.filter(
    (row) => row.revoked_at !== null || (row.expires_at !== null && Number(row.expires_at) <= now),
  );
  if (known.length - ended.length >= MOST_IN_FORCE) {
    throw new Failure('in_use', `${principal} has ${MOST_IN_FORCE} credentials in force, which is the most.`, {
      cure: 'Revoke those that nobody uses any more.',
    });
  }
  const forgotten = ended.slice(MOST_ENDED - 1).map((row) => row.id);
  if (forgotten.length > 0) await transaction.deleteFrom('credentials').where('id', 'in', forgotten).execute();
}

/** A new random id for a row. */
export function recordId(random: (size: number) => Uint8Array): string {
  return Array.from(random(ID_LENGTH), (byte) => ALPHABET[byte & 31]).join('');
}
