// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { parseOrganisationId } from '@sallyport/model';
import { parseGrant } from '@sallyport/policy';
import { z } from 'zod';
import { count, duration, flag, type KeyMeta, text } from './kinds.ts';

/** Kinds of proof in the words of this file, and what they are called where grounds of a session are kept. */
export const PROOF_KINDS = {
  certificate: 'certificate',
  token: 'token',
  password: 'password',
  scram: 'scram',
  'access-token': 'access-token',
  directory: 'directory',
  hook: 'hook',
} as const;
export type ProofKind = keyof typeof PROOF_KINDS;

function part<S extends z.core.$ZodLooseShape>(description: string, shape: S) {
  return z
    .strictObject(shape)
    .optional()
    .meta({ description, section: true, expected: 'a section with keys below it' });
}

/** A text that has to be given. */
function needed(meaning: string, type: string, expected: string, fits: (value: string) => boolean) {
  return z
    .string()
    .refine(fits)
    .meta({ description: meaning, type, bounds: '', default: 'needed', expected } satisfies KeyMeta);
}

const present = (value: string) => value.trim() !== '' && !value.includes('\u0000') && value.length <= 1024;
const path = (meaning: string) =>
  needed(`${meaning} A relative path counts from the folder of the configuration file.`, 'path', 'a path', present);
const optionalPath = (meaning: string) =>
  text({
    default: 'none',
    type: 'path',
    meaning: `${meaning} A relative path counts from the folder of the configuration file.`,
    expected: 'a path',
    fits: present,
  });
const template = (meaning: string, example: string) =>
  needed(meaning, 'text with variables', `a text such as ${example}`, present);

const grants = z
  .array(z.string().refine((value) => parseGrant(value).ok))
  .max(256)
  .meta({
    description: 'What its members may do at most.',
    type: 'list of grants',
    bounds: 'at most 256',
    default: 'needed',
    expected: 'a list of grants such as [publish:iot-2/type/+/id/+/cmd/+/fmt/+, subscribe:alarms/#]',
  } satisfies KeyMeta);

const remembered = {
  lifetime: duration({
    default: '5m',
    minimum: '1s',
    maximum: '1d',
    meaning: 'How long an answer counts, also that nothing is granted; live sessions are held against it as often.',
  }),
  outageLifetime: duration({
    default: '0s',
    minimum: '0s',
    maximum: '1d',
    meaning: 'How long beyond that it counts while nobody answers; then sessions end and nobody is let in.',
  }),
};
const timeout = duration({
  default: '5s',
  minimum: '100ms',
  maximum: '1m',
  meaning: 'How long an answer may take.',
});

const directory = part('An LDAP directory, always over TLS.', {
  url: needed('Where it is.', 'URL', 'ldaps://HOST:PORT, or ldap://HOST:PORT with startTls: true', (value) =>
    /^ldaps?:\/\/[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$/.test(value),
  ),
  startTls: flag({ default: false, meaning: 'Whether TLS begins with StartTLS; needed with ldap://.' }),
  caFile: optionalPath(
    "PEM file of the authorities that may have issued the directory's certificate; `none`: those of the system.",
  ),
  reader: text({
    default: 'none',
    type: 'DN',
    meaning: 'Who searches; `none`: nobody in particular.',
    expected: 'a distinguished name such as cn=reader,dc=example,dc=org',
    fits: present,
  }),
  readerPasswordFile: optionalPath('File that holds the password of the reader.'),
  timeout,
  users: part('Logins with the user name and password of the directory.', {
    dn: text({
      default: 'none',
      type: 'text with variables',
      meaning:
        'DN of the entry of a user, with ${username}; the password is that of this entry. Either this or `search`.',
      expected: 'a text such as uid=${username},ou=people,dc=example,dc=org',
      fits: present,
    }),
    search: part('Finds the entry of a user by a search, as the reader; the password is that of the one entry found.', {
      base: needed('Below which entry users are looked for.', 'DN', 'a distinguished name', present),
      filter: template(
        'Finds a user, by ${username}; it must find one entry only.',
        '(|(uid=${username})(mail=${username}))',
      ),
      nameAttribute: text({
        default: 'none',
        type: 'text',
        meaning:
          'Attribute whose one value takes the place of ${username} in `principal`; `none`: what the user has written.',
        expected: 'the name of an attribute such as uid',
        fits: (value) => /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(value),
      }),
    }),
    principal: template(
      'Whom a user name stands for, with ${username}; it must be registered in the organisation.',
      'application:demo/${username}',
    ),
    lifetime: duration({
      default: '8h',
      minimum: '1m',
      maximum: '7d',
      meaning: 'How long a login counts; then the session ends and the client logs in again.',
    }),
  }),
  groups: part('Grants by membership in groups.', {
    base: needed('Below which entry groups are looked for.', 'DN', 'a distinguished name', present),
    filter: template(
      'Finds the groups of a principal; ${dn} is its entry, ${id}, ${type}, ${kind}, ${organisation} and ${principal} its name.',
      '(member=${dn})',
    ),
    entry: text({
      default: 'uid=${id}',
      type: 'text with variables',
      meaning: 'DN of the entry of a principal, for ${dn}.',
      expected: 'a distinguished name such as uid=${id},ou=things,dc=example,dc=org',
      fits: present,
    }),
    attribute: text({
      default: 'cn',
      type: 'text',
      meaning: 'Attribute that names a group.',
      expected: 'the name of an attribute',
      fits: (value) => /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(value),
    }),
    grants: z
      .array(
        z.strictObject({
          group: needed('Name of the group.', 'text', 'the name of a group', present),
          grants,
        }),
      )
      .max(1000)
      .meta({
        description: 'What members of which group may do. Who is in no group of these may do nothing.',
        type: 'list',
        bounds: 'at most 1000',
        default: 'needed',
        expected: 'a list of groups with their grants',
      } satisfies KeyMeta),
    ...remembered,
  }),
});

const database = part('Grants from a PostgreSQL database.', {
  host: needed('Where it is.', 'host name', 'a host name or address', present),
  port: count({ default: 5432, minimum: 1, maximum: 65_535, meaning: 'Its port.' }),
  database: needed('Name of the database.', 'text', 'a name', present),
  user: needed('Who asks; give it the right to read one table and no more.', 'text', 'a name', present),
  passwordFile: path('File that holds the password of the user.'),
  caFile: optionalPath(
    "PEM file of the authorities that may have issued the database's certificate; `none`: no TLS, for a database on the same machine.",
  ),
  query: needed(
    'One statement that answers a grant in the first column of each row, with $1, $2, … for the parameters.',
    'SQL',
    'a statement such as select grant_text from grants where principal = $1',
    (value) => present(value) && /^\s*select\b/i.test(value) && !value.includes(';'),
  ),
  parameters: z
    .array(z.enum(['principal', 'kind', 'organisation', 'type', 'id']))
    .max(10)
    .prefault(['principal'])
    .meta({
      description: 'What $1, $2, … stand for: principal, kind, organisation, type, id.',
      type: 'list of words',
      bounds: 'at most 10',
      default: 'principal',
      expected: 'a list of principal, kind, organisation, type and id',
    } satisfies KeyMeta),
  timeout,
  connections: count({ default: 4, minimum: 1, maximum: 100, meaning: 'Connections to it at most.' }),
  ...remembered,
});

const hook = part('A web hook that decides about logins.', {
  url: needed('Where it is.', 'URL', 'a URL that begins with https://', (value) =>
    /^https:\/\/[^\s]{1,1000}$/.test(value),
  ),
  caFile: optionalPath(
    "PEM file of the authorities that may have issued the hook's certificate; `none`: those of the system.",
  ),
  secretFile: path('File with the secret, of 32 or more characters, that signs each request.'),
  timeout,
  unsafeTellPassword: flag({
    default: false,
    meaning: 'Tells the hook the password that the client sent. Whoever runs the hook, or reads its log, then has it.',
  }),
  cacheLifetime: duration({
    default: '0s',
    minimum: '0s',
    maximum: '1h',
    meaning: 'How long an answer counts for the same question.',
  }),
  sessionLifetime: duration({
    default: '1h',
    minimum: '10s',
    maximum: '7d',
    meaning: 'How long a login counts; then the session ends and the client logs in again.',
  }),
});

/** One block for each organisation that asks others, or orders its proofs (docs/guide/directories.md). */
export const ORGANISATIONS_SECTION = z
  .array(
    z
      .strictObject({
        id: needed('Its id.', 'text', 'the id of an organisation', (value) => parseOrganisationId(value).ok),
        authenticators: z
          .array(z.enum(Object.keys(PROOF_KINDS) as [ProofKind, ...ProofKind[]]))
          .min(1)
          .max(20)
          .optional()
          .meta({
            description: `Kinds of proof that it takes, in the order in which they are asked: ${Object.keys(PROOF_KINDS).join(', ')}. Without the key: all that need no directory and no hook.`,
            type: 'list of words',
            bounds: Object.keys(PROOF_KINDS).join(', '),
            default: 'certificate, token, access-token, scram, password',
            expected: `a list of ${Object.keys(PROOF_KINDS).join(', ')}`,
          } satisfies KeyMeta),
        directory,
        database,
        hook,
      })
      .meta({ description: 'Rules of one organisation.', section: true, expected: 'a section with keys below it' }),
  )
  .max(1000)
  .prefault([])
  .meta({
    description: 'Organisations that ask directories, databases or web hooks, or that order their proofs.',
    type: 'list of sections',
    bounds: 'at most 1000',
    default: 'none',
    expected: 'a list of sections, each with an id',
  } satisfies KeyMeta);
