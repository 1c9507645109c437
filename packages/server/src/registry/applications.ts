import { type Page, parseApplicationId, principalName } from '@sallyport/model';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { alreadyExists, checked, checkedDescription, checkedWord, invalid, notFound } from './checks.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import { chosenOrGenerated, credentialDetails, insertCredential } from './issue.ts';
import { organisationIn } from './organisations.ts';
import { APPLICATION_ROLES, type Application, type ApplicationRole, type Issued } from './records.ts';
import { listAsRevoked } from './revoked-certificates.ts';
import { applicationOf } from './rows.ts';

export interface ApplicationName {
  readonly organisation: string;
  readonly id: string;
}

export interface Applications {
  /** `key` is generated (`a-ORGANISATION-xxxxxxxxxx`) unless it is chosen; `role` is `standard` unless it is given. */
  create(
    input: ApplicationName & {
      key?: string;
      role?: ApplicationRole;
      description?: string;
      token?: string;
      expiresAt?: number;
      by: string;
    },
  ): Promise<Issued<Application>>;
  get(name: ApplicationName): Promise<Application>;
  list(input: { organisation: string } & PageRequest): Promise<Page<Application>>;
  /** What is left out stays, `null` clears. */
  update(
    input: ApplicationName & { role?: ApplicationRole; description?: string | null; by: string },
  ): Promise<Application>;
  /** Its credentials end with it. */
  remove(input: ApplicationName & { by: string }): Promise<void>;
  suspend(input: ApplicationName & { by: string }): Promise<Application>;
  resume(input: ApplicationName & { by: string }): Promise<Application>;
}

const KEY_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const KEY_TAIL = /^[A-Za-z0-9_.]{4,36}$/;

/** The application, or `not_found`. */
export async function applicationIn(executor: Executor, { organisation, id }: ApplicationName): Promise<Application> {
  const row = await executor
    .selectFrom('applications')
    .selectAll()
    .where('organisation', '=', organisation)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row) return applicationOf(row);
  await organisationIn(executor, organisation);
  throw notFound(nameOf({ organisation, id }));
}

export function applications(ground: Ground): Applications {
  const { query } = ground.database;

  const change = (
    input: ApplicationName & { by: string },
    kind: 'updated' | 'suspended' | 'resumed',
    changesOf: (application: Application) => Readonly<Record<string, string | number | null>>,
  ): Promise<Application> =>
    mutate(ground, input.by, async (transaction, note) => {
      const found = await applicationIn(transaction, input);
      const changes = changesOf(found);
      if (Object.keys(changes).length === 0) return found;
      await transaction
        .updateTable('applications')
        .set(changes)
        .where('organisation', '=', input.organisation)
        .where('id', '=', input.id)
        .execute();
      note({ ...changeOf(found), change: kind, ...(kind === 'updated' && { details: changes }) });
      return applicationIn(transaction, input);
    });

  return {
    async create(input) {
      const { organisation, id, by, expiresAt } = input;
      const key = input.key === undefined ? generatedKey(ground, organisation) : chosenKey(input.key, organisation);
      const token = chosenOrGenerated(ground, input.token, [organisation, id, key]);
      const tokenHash = ground.hashToken(token);
      const row = {
        organisation,
        id: checked('id', parseApplicationId(id)),
        key,
        role: checkedWord('role', input.role ?? 'standard', APPLICATION_ROLES),
        description: checkedDescription(input.description),
        created_at: ground.now(),
        suspended_at: null,
      };
      return mutate(ground, by, async (transaction, note) => {
        await organisationIn(transaction, organisation);
        const taken = await transaction
          .selectFrom('applications')
          .select(['organisation', 'id', 'key'])
          .where((e) => e.or([e('key', '=', key), e.and([e('organisation', '=', organisation), e('id', '=', id)])]))
          .executeTakeFirst();
        if (taken)
          throw alreadyExists(
            taken.organisation === organisation && taken.id === id
              ? nameOf(input)
              : `An application with the key ${key}`,
          );
        await transaction.insertInto('applications').values(row).execute();
        const record = applicationOf(row);
        const principal = nameOf(record);
        const credential = await insertCredential(ground, transaction, { principal, tokenHash, expiresAt, by });
        const details = { role: record.role, key, ...credentialDetails(credential) };
        note({ ...changeOf(record), change: 'created', details });
        return { record, credential, token };
      });
    },

    get: (name) => applicationIn(query, name),

    async list({ organisation, ...page }) {
      await organisationIn(query, organisation);
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('applications')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('id')
        .limit(limit + 1);
      if (page.after !== undefined) select = select.where('id', '>', page.after);
      return pageOf(await select.execute(), limit, applicationOf, (row) => row.id);
    },

    update: (input) =>
      change(input, 'updated', () => ({
        ...(input.role !== undefined && { role: checkedWord('role', input.role, APPLICATION_ROLES) }),
        ...(input.description !== undefined && { description: checkedDescription(input.description) }),
      })),

    remove: (input) =>
      mutate(ground, input.by, async (transaction, note) => {
        const found = await applicationIn(transaction, input);
        await transaction.deleteFrom('credentials').where('principal', '=', nameOf(found)).execute();
        await listAsRevoked(transaction, { principal: nameOf(found) }, ground.now());
        await transaction.deleteFrom('certificates').where('principal', '=', nameOf(found)).execute();
        await transaction.deleteFrom('oauth_states').where('principal', '=', nameOf(found)).execute();
        await transaction.deleteFrom('client_keys').where('principal', '=', nameOf(found)).execute();
        await transaction.deleteFrom('identities').where('principal', '=', nameOf(found)).execute();
        await transaction
          .deleteFrom('applications')
          .where('organisation', '=', input.organisation)
          .where('id', '=', input.id)
          .execute();
        note({ ...changeOf(found), change: 'removed' });
      }),

    suspend: (input) =>
      change(
        input,
        'suspended',
        (application): Record<string, number> =>
          application.suspendedAt === undefined ? { suspended_at: ground.now() } : {},
      ),
    resume: (input) =>
      change(
        input,
        'resumed',
        (application): Record<string, null> => (application.suspendedAt === undefined ? {} : { suspended_at: null }),
      ),
  };
}

function generatedKey(ground: Ground, organisation: string): string {
  return `a-${organisation}-${Array.from(ground.random(10), (byte) => KEY_ALPHABET[byte & 31]).join('')}`;
}

/** Watson clients read the organisation out of the key, between its first and its second `-` (watson-iot.md section 1). */
function chosenKey(key: string, organisation: string): string {
  const prefix = `a-${organisation}-`;
  if (key.startsWith(prefix) && KEY_TAIL.test(key.slice(prefix.length))) return key;
  throw invalid('key', `a key is "${prefix}" followed by 4 to 36 letters, digits, "_" or "."`);
}

function nameOf({ organisation, id }: ApplicationName): string {
  return principalName({ kind: 'application', organisation, id });
}

function changeOf(application: Application) {
  const principal = nameOf(application);
  return { kind: 'application', organisation: application.organisation, principal, target: principal } as const;
}
