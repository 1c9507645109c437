import { Failure, parseApplicationId, principalName } from '@sallyport/model';
import { applicationIn } from './applications.ts';
import { alreadyExists, checked, notFound } from './checks.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import type { ClientKey } from './records.ts';

export interface ClientKeyName {
  readonly organisation: string;
  readonly application: string;
  readonly kid: string;
}

/** Public keys with which applications prove who they are to the authorization server (`private_key_jwt`, RFC 7523). */
export interface ClientKeys {
  /** `jwk` holds a public key with `alg` and `kid`; it was checked by whoever calls. */
  add(input: Omit<ClientKeyName, 'kid'> & { jwk: ClientKey['jwk']; by: string }): Promise<ClientKey>;
  /** In the order in which they were added. */
  list(name: Omit<ClientKeyName, 'kid'>): Promise<readonly ClientKey[]>;
  remove(name: ClientKeyName & { by: string }): Promise<void>;
}

/** More make no sense: one is in use, one is its successor. */
const MOST_KEYS = 8;

export function clientKeys(ground: Ground): ClientKeys {
  const principalOf = ({ organisation, application }: Omit<ClientKeyName, 'kid'>) =>
    principalName({ kind: 'application', organisation, id: checked('application', parseApplicationId(application)) });

  const listIn = async (executor: Executor, name: Omit<ClientKeyName, 'kid'>): Promise<readonly ClientKey[]> => {
    const rows = await executor
      .selectFrom('client_keys')
      .selectAll()
      .where('principal', '=', principalOf(name))
      .orderBy('created_at')
      .orderBy('kid')
      .execute();
    return rows.map((row) => ({
      principal: row.principal,
      kid: row.kid,
      jwk: JSON.parse(row.jwk) as ClientKey['jwk'],
      createdAt: Number(row.created_at),
      createdBy: row.created_by,
    }));
  };

  return {
    list: (name) => listIn(ground.database.query, name),
    async add({ jwk, by, ...name }) {
      const principal = principalOf(name);
      const key: ClientKey = { principal, kid: jwk.kid, jwk, createdAt: ground.now(), createdBy: by };
      return mutate(ground, by, async (transaction, note) => {
        await applicationIn(transaction, { organisation: name.organisation, id: name.application });
        const known = await listIn(transaction, name);
        if (known.some(({ kid }) => kid === jwk.kid)) throw alreadyExists(`The key ${jwk.kid} of ${principal}`);
        if (known.length >= MOST_KEYS) {
          throw new Failure('in_use', `${principal} has ${MOST_KEYS} keys already.`, {
            cure: 'Remove one that is not used any more.',
          });
        }
        await transaction
          .insertInto('client_keys')
          .values({ principal, kid: jwk.kid, jwk: JSON.stringify(jwk), created_at: key.createdAt, created_by: by })
          .execute();
        note({ ...changeOf(name, principal, jwk.kid), change: 'created', details: { algorithm: jwk.alg } });
        return key;
      });
    },
    remove: ({ by, ...name }) =>
      mutate(ground, by, async (transaction, note) => {
        const principal = principalOf(name);
        const { numDeletedRows } = await transaction
          .deleteFrom('client_keys')
          .where('principal', '=', principal)
          .where('kid', '=', name.kid)
          .executeTakeFirst();
        if (Number(numDeletedRows) === 0) throw notFound(`The key ${name.kid} of ${principal}`);
        note({ ...changeOf(name, principal, name.kid), change: 'removed' });
      }),
  };
}

function changeOf({ organisation }: { readonly organisation: string }, principal: string, kid: string) {
  return {
    kind: 'client-key',
    organisation,
    target: `client-key:${principal.slice('application:'.length)}/${kid}`,
  } as const;
}
